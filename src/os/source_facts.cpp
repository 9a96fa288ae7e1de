#include "os/source_facts.h"

#include <chrono>
#include <cstdlib>
#include <sstream>

namespace mfi::os {
namespace {

constexpr char kServer[] =
    "SELECT pg_catalog.current_setting('server_version'), s.system_identifier, "
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'standby' ELSE 'primary' END, "
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
    "ELSE pg_catalog.pg_current_wal_lsn() END, "
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN c.timeline_id ELSE "
    "('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int END "
    "FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c";

// to_jsonb hides the differences between versions: daticulocale (15, 16) is datlocale since 17.
constexpr char kDatabase[] =
    "SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding), "
    "CASE pg_catalog.to_jsonb(d)->>'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END, "
    "d.datcollate, d.datctype, "
    "COALESCE(pg_catalog.to_jsonb(d)->>'datlocale', pg_catalog.to_jsonb(d)->>'daticulocale'), d.datcollversion "
    "FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";

constexpr char kAcl[] =
    "SELECT a::text FROM pg_catalog.pg_database d, pg_catalog.unnest(d.datacl) a "
    "WHERE d.datname = pg_catalog.current_database()";

constexpr char kSettings[] =
    "SELECT COALESCE(pg_catalog.quote_ident(r.rolname), '') || '/' || c FROM pg_catalog.pg_db_role_setting s "
    "JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, "
    "pg_catalog.unnest(s.setconfig) c WHERE d.datname = pg_catalog.current_database() ORDER BY 1";

constexpr char kExtension[] = "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'mfi'";
// A table whose version is plain text: a column of another type would bring its owner's functions along.
constexpr char kHasSchemaVersion[] =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.oid = pg_catalog.to_regclass('mfi.schema_version') AND c.relkind = 'r' AND a.attname = 'version' "
    "AND a.atttypid = 'pg_catalog.text'::pg_catalog.regtype)";
constexpr char kSchemaVersions[] = "COPY mfi.schema_version (version) TO STDOUT";

std::vector<std::string> FirstColumn(Connection& source, const std::string& sql) {
  std::vector<std::string> values;
  for (const Row& row : source.Query(sql)) values.push_back(row[0].value_or(""));
  return values;
}

/// 1.10 comes after 1.9. By COPY, which evaluates nothing of the table's owner.
std::string NewestVersion(Connection& source) {
  std::string newest;
  std::vector<long> numbers;
  source.Send(kSchemaVersions);
  const auto take = [&](std::string_view line) {
    const std::string version(line.substr(0, line.find('\n')));
    std::vector<long> parts;
    std::istringstream text(version);
    for (std::string part; std::getline(text, part, '.');) parts.push_back(std::strtol(part.c_str(), nullptr, 10));
    if (parts < numbers) return;
    numbers = parts;
    newest = version;
  };
  while (!source.TakeCopy(take, std::chrono::hours(1))) {
  }
  return newest;
}

void ReadServer(Connection& source, core::Manifest& manifest) {
  const Row row = source.Query(kServer).at(0);
  manifest.server_version = row[0].value_or("");
  manifest.run.system_identifier = row[1].value_or("");
  manifest.run.source_role = row[2].value_or("");
  manifest.run.snapshot_lsn = row[3].value_or("");
  manifest.run.timeline = static_cast<int>(std::strtol(row[4].value_or("0").c_str(), nullptr, 10));
}

void ReadDatabase(Connection& source, core::DatabaseProperties& database) {
  const Row row = source.Query(kDatabase).at(0);
  database.name = row[0].value_or("");
  database.owner = row[1].value_or("");
  database.encoding = row[2].value_or("");
  database.locale_provider = row[3].value_or("");
  database.collate = row[4].value_or("");
  database.ctype = row[5].value_or("");
  database.locale = row[6].value_or("");
  database.collation_version = row[7].value_or("");
  database.acl = FirstColumn(source, kAcl);
  database.settings = FirstColumn(source, kSettings);
}

}  // namespace

std::string OpenSnapshot(Connection& source, core::Manifest& manifest) {
  source.Execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  std::string snapshot = source.Value("SELECT pg_catalog.pg_export_snapshot()");
  ReadServer(source, manifest);
  ReadDatabase(source, manifest.database);
  const std::vector<std::string> extension = FirstColumn(source, kExtension);
  if (!extension.empty()) manifest.run.extension_version = extension[0];
  if (source.Value(kHasSchemaVersion) == "t") {
    manifest.run.schema_version = NewestVersion(source);
  }
  return snapshot;
}

}  // namespace mfi::os
