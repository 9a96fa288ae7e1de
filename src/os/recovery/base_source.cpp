#include "os/recovery/base_source.h"

#include <charconv>

#include "core/base/names.h"
#include "os/base/directory_owner.h"

namespace mfi::os {
namespace {

using core::Error;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kConnectLimit{30};
constexpr seconds kStatementLimit{600};  // a checkpoint is one
constexpr milliseconds kLookAgain{500};
constexpr seconds kSummariesLimit{10};

constexpr char kFacts[] =
    "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system()), "
    "pg_catalog.current_setting('server_version'), "
    "(SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'), pg_catalog.pg_is_in_recovery(), "
    "pg_catalog.current_setting('summarize_wal', true), "
    "(SELECT sum(pg_catalog.pg_database_size(oid)) FROM pg_catalog.pg_database), "
    "pg_catalog.current_setting('config_file'), pg_catalog.current_setting('hba_file'), "
    "pg_catalog.current_setting('ident_file')";

constexpr char kTablespaces[] =
    "SELECT oid, pg_catalog.pg_tablespace_location(oid) FROM pg_catalog.pg_tablespace "
    "WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY oid";

/// Such as conf.d/: each of which a setting was read.
constexpr char kIncluded[] =
    "SELECT DISTINCT sourcefile FROM pg_catalog.pg_file_settings WHERE sourcefile IS NOT NULL ORDER BY 1";

constexpr char kRedo[] = "SELECT redo_lsn FROM pg_catalog.pg_control_checkpoint()";

constexpr char kSummarized[] =
    "SELECT s.summarized_lsn >= c.redo_lsn FROM pg_catalog.pg_get_wal_summarizer_state() s, "
    "pg_catalog.pg_control_checkpoint() c";

std::int64_t NumberOf(const std::optional<std::string>& text, const char* what) {
  std::int64_t number = 0;
  const std::string digits = text.value_or("");
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && end == digits.data() + digits.size()) return number;
  throw Error(core::sqlstate::kDataCorrupted,
              std::string("the server gave an unexpected answer when asked for ") + what);
}

std::vector<core::BaseTablespace> TablespacesOf(const std::vector<Row>& rows) {
  std::vector<core::BaseTablespace> tablespaces;
  tablespaces.reserve(rows.size());
  for (const Row& row : rows) {
    tablespaces.push_back({static_cast<std::uint32_t>(NumberOf(row[0], "its tablespaces")), row[1].value_or("")});
  }
  return tablespaces;
}

/// `conf.d/mfi.conf` beside postgresql.conf is copied as `conf.d--mfi.conf`, another one by its whole path.
std::string NameOfCopy(const std::string& path, const std::string& directory) {
  std::string name = path.substr(path.starts_with(directory) ? directory.size() : 1);
  for (std::size_t slash = 0; (slash = name.find('/')) != std::string::npos;) name.replace(slash, 1, "--");
  return name;
}

}  // namespace

BaseSource::BaseSource(const RecoveryJob& job, std::string id, BaseLimit& waiter)
    : job_(job), name_("mfi base " + std::move(id)), waiter_(waiter) {}

std::string BaseSource::Where(const std::string& database) const {
  using core::ConninfoValue;
  return "host=" + ConninfoValue(job_.socket_directory) + " port=" + std::to_string(job_.port) +
         " user=" + ConninfoValue(job_.superuser) + " dbname=" + database;
}

/// In a database that is always there, for a moment only, since one in use cannot be copied.
Connection BaseSource::Open() const {
  return {
      Session(SessionKind::kSuperuserOnOthersData, Where("template1"), name_, job_.server_major, {}, kStatementLimit),
      waiter_, kConnectLimit};
}

Session BaseSource::Replication() const {
  return {SessionKind::kReplication, Where("replication"), name_, job_.server_major,
          "-c lc_messages=C -c client_min_messages=error"};
}

BaseServer BaseSource::Ask() const {
  Connection server = Open();
  const Row row = server.Query(kFacts).at(0);
  BaseServer facts;
  facts.system_identifier = row[0].value_or("");
  facts.version = row[1].value_or("");
  facts.segment_bytes = NumberOf(row[2], "its size of WAL segments");
  facts.in_recovery = row[3] == "t";
  facts.summarizes = row[4] == "on";
  facts.database_bytes = NumberOf(row[5], "the size of its databases");
  facts.tablespaces = TablespacesOf(server.Query(kTablespaces));
  const std::string inside = RealPath(job_.data_directory) + "/";
  const char* const names[] = {"postgresql.conf", "pg_hba.conf", "pg_ident.conf"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    const std::string path = RealPath(row[6 + i].value_or(""));
    if (!path.starts_with(inside) && Exists(path)) facts.configuration.push_back({names[i], path});
  }
  const std::string main = RealPath(row[6].value_or(""));
  const std::string directory = main.substr(0, main.rfind('/') + 1);
  for (const Row& included : server.Query(kIncluded)) {
    const std::string path = RealPath(included[0].value_or(""));
    const std::string name = NameOfCopy(path, directory);
    if (path == main || path.starts_with(inside) || !Exists(path) || !core::IsFileName(name)) continue;
    facts.configuration.push_back({name, path});
  }
  return facts;
}

std::vector<pid_t> BaseSource::Backends() const {
  std::vector<pid_t> pids;
  const std::string sql =
      "SELECT pid FROM pg_catalog.pg_stat_activity WHERE backend_type = 'walsender' "
      "AND application_name = " +
      core::SqlLiteral(name_);
  for (const Row& row : Open().Query(sql)) pids.push_back(static_cast<pid_t>(NumberOf(row[0], "its processes")));
  return pids;
}

void BaseSource::AwaitRestartpoint(core::Lsn end) const {
  waiter_.SetDoing("waited for the standby to replay a checkpoint of the primary after " + core::FormatLsn(end));
  for (;;) {
    {
      Connection server = Open();
      // Where nothing new was replayed, that is nothing to do.
      server.Execute("CHECKPOINT");
      const std::string redo = server.Value(kRedo);
      if (core::ParseLsn(redo).value_or(0) >= end) return;
    }
    waiter_.Wait(-1, false, kLookAgain);
  }
}

void BaseSource::AwaitSummaries() const {
  waiter_.SetDoing("waited for WAL to be summarized");
  const auto deadline = steady_clock::now() + kSummariesLimit;
  while (Open().Value(kSummarized) != "t" && steady_clock::now() < deadline) waiter_.Wait(-1, false, kLookAgain);
}

}  // namespace mfi::os
