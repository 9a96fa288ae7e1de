#include "os/dump.h"

#include <chrono>
#include <cstdlib>
#include <optional>

#include "core/archive_listing.h"
#include "core/error.h"
#include "core/names.h"
#include "os/child.h"
#include "os/connection.h"
#include "os/contents_reader.h"
#include "os/niceness.h"
#include "os/private_log.h"
#include "os/source_facts.h"

namespace mfi::os {
namespace {

using core::Error;

constexpr std::chrono::seconds kConnectLimit{30};

/// Between two looks at the dump.
constexpr std::chrono::milliseconds kCountPiece{200};

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

Session Dump::OnPrimary() const {
  using core::ConninfoValue;
  return Open(SessionKind::kSuperuserOnOthersData, "host=" + ConninfoValue(job_.socket_directory) +
                                                       " port=" + std::to_string(job_.port) +
                                                       " user=" + ConninfoValue(job_.superuser) + " ");
}

Session Dump::OnStandby(SessionKind kind) const { return Open(kind, PeerKeywords(job_.source_conninfo)); }

Session Dump::Open(SessionKind kind, const std::string& where) const {
  return {kind, where + "dbname=" + core::ConninfoValue(job_.record.database), "mfi backup " + job_.record.id,
          job_.server_major};
}

/// The role that dumps the standby need not be a superuser; one that is none may not set all that a superuser must.
Dump::Standby Dump::ConnectToStandby() {
  const Session superuser = OnStandby(SessionKind::kSuperuserOnOthersData);
  try {
    return {superuser, std::make_unique<Connection>(superuser, host_, kConnectLimit)};
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.find("\"lc_messages\"") == std::string::npos &&
        message.find("\"event_triggers\"") == std::string::npos) {
      throw;
    }
  }
  const Session plain = OnStandby(SessionKind::kPlainOnOthersData);
  return {plain, std::make_unique<Connection>(plain, host_, kConnectLimit)};
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

void Dump::DumpDatabase(core::Manifest& manifest) {
  std::optional<Connection> source;
  try {
    source.emplace(OnPrimary(), host_, kConnectLimit);
  } catch (const Error& error) {
    if (error.sqlstate() != core::sqlstate::kConnectionFailure) throw;
    const std::string message = error.what();
    const bool refused =
        message.find("pg_hba.conf") != std::string::npos || message.find("authentication") != std::string::npos;
    const std::string hint =
        "pg_hba.conf must begin with the line \"local all " + job_.superuser +
        " peer\" (then SELECT pg_reload_conf()); the server must run as the operating system user \"" + job_.superuser +
        "\" or have a map for it in pg_ident.conf.";
    throw Error(error.sqlstate(), "the backup could not log in: " + message, {}, refused ? hint : "");
  }
  const std::string snapshot = OpenSnapshot(*source, manifest);
  manifest.run.source_node = job_.record.node;
  DumpSnapshot(*source, OnPrimary(), true, snapshot, manifest);
}

std::string Dump::DumpStandby(core::Manifest& manifest) {
  const Standby standby = ConnectToStandby();
  Connection& source = *standby.connection;
  std::string snapshot;
  std::string remark;
  {
    Connection primary(OnPrimary(), host_, kConnectLimit);
    remark = CheckStandby(primary, source, job_.standby_limits);
    snapshot = OpenSnapshot(source, manifest);
    manifest.run.source_lag_bytes = BytesBehind(primary, manifest.run.snapshot_lsn);
  }
  manifest.run.source_node = source.Where();
  DumpSnapshot(source, standby.session, false, snapshot, manifest);
  return remark;
}

void Dump::DumpSnapshot(Connection& source, const Session& session, bool local, const std::string& snapshot,
                        core::Manifest& manifest) {
  std::vector<std::string> arguments = {job_.jobs > 1 ? "--format=directory" : "--format=custom",
                                        "--compress=" + job_.compression,
                                        "--snapshot=" + snapshot,
                                        "--encoding=" + manifest.database.encoding,
                                        "--lock-wait-timeout=" + std::to_string(job_.lock_timeout_ms),
                                        "--no-sync",
                                        "--file=" + partial_ + "/" + ArchiveName(),
                                        "--dbname=" + session.conninfo()};
  if (job_.jobs > 1) arguments.push_back("--jobs=" + std::to_string(job_.jobs));
  manifest.dump_command = arguments;
  manifest.dump_command.insert(manifest.dump_command.begin(), "pg_dump");

  source.Execute("SET lock_timeout = " + std::to_string(job_.lock_timeout_ms));
  ContentsReader reader(source);
  reader.Begin();
  Child child({Program("pg_dump"), arguments, CleanEnvironment(), job_.niceness});
  bool counting = false;
  bool counted = false;
  std::vector<pid_t> hasty{child.pid()};  // its session is ours
  // While rows come to be counted, they are what it waits for.
  while (counting && !counted ? !child.Ended() : !child.WaitPiece(host_)) {
    host_.Progress(core::RunState::kDumping, TreeSize(partial_));
    BeginWriteback(partial_);
    if (!counting && HoldsItsLocks(source)) {
      counting = true;
      if (local) {
        const std::vector<pid_t> backends = OwnBackends(source);
        hasty.insert(hasty.end(), backends.begin(), backends.end());
      }
    }
    std::erase_if(hasty, [&](pid_t pid) { return Renice(pid, job_.niceness); });
    if (counting) counted = reader.Step(kCountPiece);
  }
  if (child.result().exit_code != 0) ThrowFailed("pg_dump", child.result());
  manifest.contents = reader.Finish();
}

/// pg_dump locks all tables first; once it copies, it holds them all. Its jobs connect only then.
bool Dump::HoldsItsLocks(Connection& source) const {
  const int sessions = 2 + (job_.jobs > 1 ? job_.jobs : 0);  // ours, pg_dump's first, and its jobs'
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

/// pg_dumpall succeeds on a full disk: only its last line tells that all was written.
void Dump::DumpGlobals() {
  const std::string path = partial_ + "/globals.sql";
  Run("pg_dumpall", {"--globals-only", "--no-sync", "--file=" + path, "--dbname=" + OnPrimary().conninfo()});
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
