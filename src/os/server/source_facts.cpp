#include "os/server/source_facts.h"

#include <chrono>
#include <cstdlib>
#include <iterator>
#include <set>
#include <sstream>

#include "core/backup/session_settings.h"
#include "core/base/names.h"

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

// to_jsonb hides the differences between versions: daticulocale (15, 16) is datlocale since 17, daticurules comes
// in 16.
constexpr char kDatabase[] =
    "SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding), "
    "CASE pg_catalog.to_jsonb(d)->>'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END, "
    "d.datcollate, d.datctype, "
    "COALESCE(pg_catalog.to_jsonb(d)->>'datlocale', pg_catalog.to_jsonb(d)->>'daticulocale'), d.datcollversion, "
    "pg_catalog.to_jsonb(d)->>'daticurules', d.datconnlimit, pg_catalog.shobj_description(d.oid, 'pg_database'), "
    "d.datacl IS NULL, NULLIF(t.spcname, 'pg_default'), d.datistemplate "
    "FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = "
    "pg_catalog.current_database()";

constexpr char kAcl[] =
    "SELECT a::text FROM pg_catalog.pg_database d, pg_catalog.unnest(d.datacl) a "
    "WHERE d.datname = pg_catalog.current_database()";

constexpr char kSettings[] =
    "SELECT r.rolname, c.text FROM pg_catalog.pg_db_role_setting s "
    "JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, "
    "pg_catalog.unnest(s.setconfig) WITH ORDINALITY c (text, place) WHERE d.datname = pg_catalog.current_database() "
    "ORDER BY r.rolname COLLATE \"C\" NULLS FIRST, c.place";

constexpr char kLabels[] =
    "SELECT l.provider, l.label FROM pg_catalog.pg_shseclabel l JOIN pg_catalog.pg_database d ON d.oid = l.objoid "
    "WHERE l.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass AND d.datname = pg_catalog.current_database() "
    "ORDER BY l.provider";

constexpr char kExtension[] = "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'mfi'";
// A table whose version is plain text: a column of another type would bring its owner's functions along.
constexpr char kHasSchemaVersion[] =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.oid = pg_catalog.to_regclass('mfi.schema_version') AND c.relkind = 'r' AND a.attname = 'version' "
    "AND a.atttypid = 'pg_catalog.text'::pg_catalog.regtype)";
constexpr char kSchemaVersions[] = "COPY mfi.schema_version (version) TO STDOUT";

// Names with a dot are in no list of the server's while no library defines them.
constexpr char kDottedOfCatalogs[] =
    "SELECT DISTINCT pg_catalog.split_part(c, '=', 1) FROM pg_catalog.pg_db_role_setting s, "
    "pg_catalog.unnest(s.setconfig) c WHERE pg_catalog.split_part(c, '=', 1) LIKE '%.%'";
constexpr char kMayReadFiles[] =
    "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_file_settings', 'SELECT') AND "
    "pg_catalog.has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE')";
constexpr char kDottedOfFiles[] =
    "SELECT DISTINCT name FROM pg_catalog.pg_file_settings WHERE applied AND name LIKE '%.%'";

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
  database.icu_rules = row[8].value_or("");
  database.connection_limit = static_cast<int>(std::strtol(row[9].value_or("-1").c_str(), nullptr, 10));
  database.comment = row[10].value_or("");
  if (row[11] != "t") database.acl = FirstColumn(source, kAcl);
  database.tablespace = row[12].value_or("");
  database.is_template = row[13] == "t";
  for (const Row& label : source.Query(kLabels)) {
    database.security_labels.push_back({label[0].value_or(""), label[1].value_or("")});
  }
  for (const Row& setting : source.Query(kSettings)) {
    const std::string text = setting[1].value_or("");
    const std::size_t equals = text.find('=');
    database.settings.push_back({setting[0].value_or(""), text.substr(0, equals), text.substr(equals + 1)});
  }
}

}  // namespace

std::vector<std::string> ReadSessionSettings(Connection& source) {
  std::set<std::string> names(std::begin(core::kMeaningful), std::end(core::kMeaningful));
  for (const std::string& name : FirstColumn(source, kDottedOfCatalogs)) names.insert(name);
  if (source.Value(kMayReadFiles) == "t") {
    for (const std::string& name : FirstColumn(source, kDottedOfFiles)) names.insert(name);
  }
  std::vector<std::string> settings;
  for (const std::string& name : names) {
    const auto rows = source.Query("SELECT pg_catalog.current_setting(" + core::SqlLiteral(name) + ", true)");
    if (rows.size() == 1 && rows[0][0] && !name.starts_with("mfi.")) {
      settings.push_back(name + "=" + *rows[0][0]);
    }
  }
  return settings;
}

void ReadSourceFacts(Connection& source, core::Manifest& manifest) {
  ReadServer(source, manifest);
  ReadDatabase(source, manifest.database);
  const std::vector<std::string> extension = FirstColumn(source, kExtension);
  if (!extension.empty()) manifest.run.extension_version = extension[0];
  if (source.Value(kHasSchemaVersion) == "t") {
    manifest.run.schema_version = NewestVersion(source);
  }
}

}  // namespace mfi::os
