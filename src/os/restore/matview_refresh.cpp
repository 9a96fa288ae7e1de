#include "os/restore/matview_refresh.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/printable.h"
#include "os/process/private_log.h"
#include "os/restore/archive_restore.h"

namespace mfi::os {
namespace {

constexpr std::string_view kRefresh = "REFRESH MATERIALIZED VIEW ";

// Whatever depends on a foreign table: views by their rules, functions that are written in SQL's own words, tables
// above a foreign partition.
constexpr char kReadElsewhere[] =
    "WITH RECURSIVE reads (class, object) AS (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, c.oid "
    "FROM pg_catalog.pg_class c WHERE c.relkind = 'f' UNION SELECT next.class, next.object FROM reads, LATERAL ("
    "SELECT CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_catalog.pg_class'::pg_catalog.regclass END, "
    "COALESCE(r.ev_class, d.objid) FROM pg_catalog.pg_depend d LEFT JOIN pg_catalog.pg_rewrite r "
    "ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid "
    "WHERE d.refclassid = reads.class AND d.refobjid = reads.object "
    "AND d.classid <> 'pg_catalog.pg_type'::pg_catalog.regclass UNION ALL "
    "SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, i.inhparent FROM pg_catalog.pg_inherits i "
    "WHERE reads.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.inhrelid = reads.object) next (class, "
    "object)) "
    "SELECT c.oid FROM reads JOIN pg_catalog.pg_class c ON c.oid = reads.object "
    "WHERE reads.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.relkind = 'm'";
constexpr char kHasServers[] = "SELECT EXISTS (SELECT FROM pg_catalog.pg_foreign_server)";

/// Whether it failed for what the scratch server does not have: a way out, files, a superuser's rights, a user mapping,
/// or rows of another view that was left empty.
bool IsElsewhere(const std::string& sqlstate, bool has_servers) {
  constexpr std::array<std::string_view, 3> kClasses = {"08", "HV", "58"};
  constexpr std::array<std::string_view, 2> kStates = {"42501", "2F003"};
  return std::find(kClasses.begin(), kClasses.end(), sqlstate.substr(0, 2)) != kClasses.end() ||
         std::find(kStates.begin(), kStates.end(), sqlstate) != kStates.end() || (sqlstate == "42704" && has_servers);
}

}  // namespace

MatviewRefresh::MatviewRefresh(Connection& superuser, Connection& restorer)
    : superuser_(superuser), restorer_(restorer) {
  for (const Row& row : superuser_.Query(kReadElsewhere)) reads_elsewhere_.insert(row[0].value_or(""));
}

void MatviewRefresh::Run(const std::string& statement) {
  const std::string name = statement.substr(std::min(kRefresh.size(), statement.size()));
  const std::string shown = core::Printable(name);
  const std::string oid =
      superuser_.Value("SELECT pg_catalog.to_regclass(" + core::SqlLiteral(name) + ")::pg_catalog.oid");
  if (reads_elsewhere_.count(oid) != 0) {
    left_.push_back(shown);
    return;
  }
  try {
    restorer_.Execute(statement);
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    restorer_.Execute("SELECT 1");  // the server is there: it has said this
    const bool reads_empty_one = error.sqlstate() == core::sqlstate::kObjectNotInPrerequisiteState && !left_.empty();
    if (!reads_empty_one && !IsElsewhere(error.sqlstate(), superuser_.Value(kHasServers) == "t")) {
      throw NotRestorable("materialized view " + shown + " could not be refreshed: " + ServerWords(error));
    }
    left_.push_back(shown);
  }
}

}  // namespace mfi::os
