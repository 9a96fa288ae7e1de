#include "os/backup/dump.h"

#include <chrono>
#include <cstdlib>
#include <optional>

#include "core/backup/archive_listing.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "os/process/child.h"
#include "os/process/niceness.h"
#include "os/process/private_log.h"
#include "os/server/connection.h"
#include "os/server/contents_reader.h"
#include "os/server/source_facts.h"
#include "os/server/table_locks.h"

namespace mfi::os {
namespace {

using core::Error;

constexpr std::chrono::seconds kConnectLimit{30};

/// Between two looks at the dump.
constexpr std::chrono::milliseconds kReadPiece{200};

/// Databases in whose encoding every byte is a character.
constexpr char kAnyByte[] =
    "SELECT datname FROM pg_catalog.pg_database WHERE datallowconn AND pg_catalog.pg_encoding_max_length(encoding) = 1 "
    "ORDER BY oid";

constexpr char kNoAuthorization[] = "28";  // class of SQLSTATEs

constexpr char kConflicts[] =
    "SELECT pg_catalog.pg_stat_get_db_conflict_all(oid) FROM pg_catalog.pg_database "
    "WHERE datname = pg_catalog.current_database()";

/// For a session that met a conflict to be counted.
constexpr int kLooksForConflict = 10;
constexpr std::chrono::milliseconds kLookForConflict{100};

constexpr char kEndOfGlobals[] = "\n-- PostgreSQL database cluster dump complete\n";

[[noreturn]] void ThrowFailed(const char* program, const ChildResult& result) {
  std::string message = std::string(program) + " failed with exit code " + std::to_string(result.exit_code);
  const std::string words = ProgramWords(result);
  if (!words.empty()) message += ": " + words;
  throw Error(core::sqlstate::kExternalRoutine, message);
}

/// The major version in `pg_dump (PostgreSQL) 17.11 (Debian …)`; 0 when there is none.
int MajorVersion(const std::string& text) {
  const auto at = text.find(") ");
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + 2);  // NOLINT(cert-err34-c): 0 is the answer then
}

}  // namespace

Dump::Dump(const BackupJob& job, RunHost& host, std::string partial)
    : job_(job), host_(host), partial_(std::move(partial)) {}

std::string Dump::ArchiveName() const {
  return core::EncodeFileName(job_.record.database) + (job_.jobs > 1 ? ".dir" : ".dump");
}

Session Dump::OnPrimary(SessionKind kind) const {
  using core::ConninfoValue;
  return Open(kind, "host=" + ConninfoValue(job_.socket_directory) + " port=" + std::to_string(job_.port) +
                        " user=" + ConninfoValue(job_.superuser) + job_.keywords + " ");
}

Session Dump::OnStandby(SessionKind kind, const std::string& server) const {
  return Open(kind, PeerKeywords(job_.source_conninfo) + server + " ");
}

Session Dump::Open(SessionKind kind, const std::string& where) const {
  return {kind, where + "dbname=" + core::ConninfoValue(job_.record.database), "mfi backup " + job_.record.id,
          job_.server_major};
}

std::unique_ptr<Connection> Dump::Connect(const Session& session) {
  return std::make_unique<Connection>(session, host_, kConnectLimit);
}

/// Of several servers that the connection string names, all sessions are on the one that took the first.
Dump::Source Dump::ConnectToStandbyAs(SessionKind kind, SessionKind settings) {
  std::unique_ptr<Connection> lister = Connect(OnStandby(kind));
  const std::string server = lister->Server();
  const Session session = OnStandby(kind, server);
  return {session, std::move(lister), Connect(session), false,
          ReadSessionSettings(*Connect(OnStandby(settings, server)))};
}

/// The role that dumps the standby need not be a superuser; one that is none may not set all that a superuser must.
Dump::Source Dump::ConnectToStandby() {
  try {
    return ConnectToStandbyAs(SessionKind::kSuperuserOnOthersData, SessionKind::kSettingsOfSuperuser);
  } catch (const ConnectError& error) {
    if (error.reason() != core::sqlstate::kInsufficientPrivilege) throw;
  }
  return ConnectToStandbyAs(SessionKind::kPlainOnOthersData, SessionKind::kSettingsOfPlain);
}

std::string Dump::Run(const char* program, std::vector<std::string> arguments) {
  const ChildResult result =
      RunCommand({Program(program), std::move(arguments), CleanEnvironment(), job_.niceness}, host_);
  if (result.exit_code != 0) ThrowFailed(program, result);
  return result.output;
}

void Dump::CheckPrograms() {
  for (const char* program : {"pg_dump", "pg_dumpall", "pg_restore"}) {
    const std::string hint = "Install the client programs of PostgreSQL " + std::to_string(job_.server_major) +
                             " in \"" + job_.binary_directory + "\".";
    if (!Exists(Program(program))) {
      throw Error(core::sqlstate::kUndefinedFile, "there is no " + Program(program), {}, hint);
    }
    const int major = MajorVersion(Run(program, {"--version"}));
    if (major != job_.server_major) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  Program(program) + " is of version " + std::to_string(major) + ", the server of version " +
                      std::to_string(job_.server_major),
                  {}, hint);
    }
  }
}

void Dump::HearFromPostmaster() {
  try {
    const Connection asked(OnPrimary(), host_, kConnectLimit);
  } catch (const Error& error) {
    if (error.sqlstate() != core::sqlstate::kConnectionFailure) throw;
  }
}

Dump::Source Dump::ConnectToPrimary() {
  try {
    std::unique_ptr<Connection> lister = Connect(OnPrimary());
    return {OnPrimary(), std::move(lister), Connect(OnPrimary()), true,
            ReadSessionSettings(*Connect(OnPrimary(SessionKind::kSettingsOfSuperuser)))};
  } catch (const Error& error) {
    if (error.sqlstate() != core::sqlstate::kConnectionFailure) throw;
    const auto* unconnected = dynamic_cast<const ConnectError*>(&error);
    const bool refused = unconnected != nullptr && unconnected->reason().starts_with(kNoAuthorization);
    const std::string hint = "pg_hba.conf must begin with the line \"local all " + job_.superuser +
                             " peer\" (then SELECT pg_reload_conf()), the role must have LOGIN, and the server must "
                             "run as the operating system user \"" +
                             job_.superuser + "\" or have a map for it in pg_ident.conf.";
    throw Error(error.sqlstate(), std::string("the backup could not log in: ") + error.what(), {}, refused ? hint : "");
  }
}

void Dump::DumpDatabase(core::Manifest& manifest) {
  Source source = ConnectToPrimary();
  manifest.run.source_node = job_.record.node;
  DumpConsistently(
      source, [](Connection&) {}, [](Connection&) {}, manifest);
}

std::string Dump::DumpStandby(core::Manifest& manifest) {
  Source source = ConnectToStandby();
  std::unique_ptr<Connection> primary;
  std::string remark;
  const std::string conflicts = source.lister->Value(kConflicts);
  try {
    DumpConsistently(
        source,
        [&](Connection& standby) {
          primary = Connect(OnPrimary());
          remark = CheckStandby(*primary, standby, job_.standby_limits);
        },
        [&](Connection& standby) {
          manifest.run.source_node = standby.Where();
          manifest.run.source_lag_bytes = BytesBehind(*primary, manifest.run.snapshot_lsn);
          primary.reset();
        },
        manifest);
  } catch (const core::Stop&) {
    throw;
  } catch (const Error& error) {
    if (IsRecoveryConflict(error) || !MetRecoveryConflict(source.session, conflicts)) throw;
    throw Error(kRecoveryConflict, error.what(), error.detail(), error.hint());
  }
  return remark;
}

/// The message is a record whose end is known: recovered to there, a server has all that the snapshot sees, and all
/// that was read of sequences before. It is on disk, since after a crash its position would be that of other records;
/// before PostgreSQL 17, it is within seconds. A standby cannot write one.
void Dump::MarkSnapshot(Connection& holder, core::RunRecord& run) const {
  if (run.source_role != "primary") return;
  run.snapshot = holder.Value("SELECT pg_catalog.pg_current_snapshot()");
  run.snapshot_lsn =
      holder.Value(job_.server_major < 17 ? "SELECT pg_catalog.pg_logical_emit_message(false, 'mfi', 'backup')"
                                          : "SELECT pg_catalog.pg_logical_emit_message(false, 'mfi', 'backup', true)");
}

void Dump::DumpConsistently(Source& source, const Step& before, const Step& within, core::Manifest& manifest) {
  Connection& holder = *source.holder;
  manifest.session_settings = source.settings;
  const ContentsFunctions functions = MakeContentsFunctions(holder);
  for (Attempts attempts(job_.lock_timeout_ms, host_);;) {
    try {
      before(holder);
      TableLocks locks(*source.lister, holder, job_.lock_timeout_ms);
      std::vector<ListedTable> tables = locks.Take();
      remark_ = locks.remark();
      ReadSourceFacts(holder, manifest);
      within(holder);
      ContentsReader reader(holder, functions);
      reader.Begin(std::move(tables));
      MarkSnapshot(holder, manifest.run);
      DumpSnapshot(source, locks.snapshot(), reader, manifest);
      return;
    } catch (const TablesChanged& changed) {
      holder.Execute("ROLLBACK");
      attempts.After(changed);
    } catch (const InTheWay& way) {
      holder.Execute("ROLLBACK");
      attempts.After(way);
    }
    RemoveTree(ArchivePath());
  }
}

void Dump::DumpSnapshot(const Source& source, const std::string& snapshot, ContentsReader& reader,
                        core::Manifest& manifest) {
  encoding_ = manifest.database.encoding;
  std::vector<std::string> arguments = {job_.jobs > 1 ? "--format=directory" : "--format=custom",
                                        "--compress=" + job_.compression,
                                        "--snapshot=" + snapshot,
                                        "--encoding=" + manifest.database.encoding,
                                        "--lock-wait-timeout=" + std::to_string(job_.lock_timeout_ms),
                                        "--no-sync",
                                        "--file=" + ArchivePath(),
                                        "--dbname=" + source.session.conninfo()};
  if (job_.jobs > 1) arguments.push_back("--jobs=" + std::to_string(job_.jobs));
  manifest.dump_command = arguments;
  manifest.dump_command.insert(manifest.dump_command.begin(), "pg_dump");

  Child child({Program("pg_dump"), arguments, CleanEnvironment(), job_.niceness});
  bool reading = false;
  bool read = false;
  // Processes that do not have their niceness yet: it is tried again until it has been changed.
  std::vector<pid_t> not_yet_nice{child.pid()};
  // While rows come to be read, they are what it waits for.
  while (reading && !read ? !child.Ended() : !child.WaitPiece(host_)) {
    host_.Progress(core::RunState::kDumping, TreeSize(partial_));
    BeginWriteback(partial_);
    if (!reading && HoldsItsLocks(*source.holder)) {
      reading = true;
      if (source.local) {
        const std::vector<pid_t> backends = OwnBackends(*source.holder);
        not_yet_nice.insert(not_yet_nice.end(), backends.begin(), backends.end());
      }
    }
    if (!reading) RefuseToBeInTheWay(*source.holder);
    std::erase_if(not_yet_nice, [&](pid_t pid) { return Renice(pid, job_.niceness); });
    if (reading) read = reader.Step(kReadPiece);
  }
  if (child.result().exit_code != 0) ThrowFailed("pg_dump", child.result());
  manifest.contents = reader.Finish();
}

/// By what the standby counts: what pg_dump says of its server is in that server's language, and a session that is
/// ended may end without a word.
bool Dump::MetRecoveryConflict(const Session& session, const std::string& before) {
  try {
    const std::unique_ptr<Connection> asked = Connect(session);
    for (int looks = 0; looks < kLooksForConflict; ++looks) {
      if (asked->Value(kConflicts) != before) return true;
      host_.Wait(-1, false, kLookForConflict);
    }
  } catch (const core::Stop&) {
    throw;
  } catch (const Error&) {
    // It answers no more: that was something else.
  }
  return false;
}

/// pg_dump locks all tables first; once it copies, it holds them all. Its jobs connect only then.
bool Dump::HoldsItsLocks(Connection& source) const {
  const int sessions = 3 + (job_.jobs > 1 ? job_.jobs : 0);  // two of ours, pg_dump's first, and its jobs'
  source.Execute("SELECT pg_catalog.pg_stat_clear_snapshot()");
  const std::string copies =
      "SELECT bool_or(query LIKE 'COPY %' AND pid <> pg_catalog.pg_backend_pid()) AND count(*) >= " +
      std::to_string(sessions) +
      " FROM pg_catalog.pg_stat_activity WHERE application_name = pg_catalog.current_setting('application_name')";
  return source.Value(copies) == "t";
}

/// Niceness of pg_dump alone gains little: the work is done by its server processes, which run as our own user.
std::vector<pid_t> Dump::OwnBackends(Connection& source) const {
  const std::string own_sessions =
      "SELECT pid FROM pg_catalog.pg_stat_activity WHERE application_name = "
      "pg_catalog.current_setting('application_name')";
  std::vector<pid_t> pids;
  for (const Row& row : source.Query(own_sessions)) {
    const long pid = std::strtol(row[0].value_or("0").c_str(), nullptr, 10);
    if (pid > 0) pids.push_back(static_cast<pid_t>(pid));
  }
  return pids;
}

/// Names of roles are bytes of no encoding that all databases agree on. By the database itself they come as its
/// objects' owners are written in the archive; where some are not of its encoding, by one that knows any byte.
///
/// pg_dumpall succeeds on a full disk: only its last line tells that all was written.
void Dump::DumpGlobals() {
  const std::string path = partial_ + "/globals.sql";
  const auto dump = [&](const std::string& database, const std::string& encoding) {
    std::vector<std::string> arguments = {"--globals-only", "--no-sync", "--file=" + path,
                                          "--dbname=" + OnPrimary().conninfo()};
    if (!database.empty()) arguments.push_back("--database=dbname=" + core::ConninfoValue(database));
    if (!encoding.empty()) arguments.push_back("--encoding=" + encoding);
    Run("pg_dumpall", std::move(arguments));
  };
  try {
    dump(encoding_.empty() ? "" : job_.record.database, encoding_);
  } catch (const core::Stop&) {
    throw;
  } catch (const Error&) {
    const std::vector<Row> others = encoding_.empty() ? std::vector<Row>{} : Connect(OnPrimary())->Query(kAnyByte);
    if (others.empty()) throw;
    dump(others[0][0].value_or(""), "SQL_ASCII");
  }
  if (ReadFile(path).find(kEndOfGlobals) == std::string::npos) {
    throw Error(core::sqlstate::kDiskFull, "pg_dumpall did not write \"" + path + "\" to its end", {},
                "Free some space on that file system.");
  }
}

void Dump::CheckListing(core::Manifest& manifest) {
  const std::set<std::uint32_t> tables =
      core::TablesWithData(core::ParseListing(Run("pg_restore", {"--list", ArchivePath()})));
  const std::string lacking = CompareWithListing(manifest.contents, tables);
  if (!lacking.empty()) throw Error(core::sqlstate::kDataCorrupted, "the archive is not complete: " + lacking);
  manifest.run.tables = static_cast<int>(tables.size());
}

}  // namespace mfi::os
