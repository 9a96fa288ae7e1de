#include "command/recovery/recover.h"

#include <unistd.h>

#include <ostream>

#include "command/recovery/recovering.h"
#include "command/restore/restore.h"
#include "command/restore/restore_rows.h"
#include "command/restore/restore_server.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/printable.h"
#include "core/base/sql_text.h"
#include "core/base/timestamp.h"
#include "os/backup/backup_run.h"
#include "os/server/source_facts.h"

namespace mfi::command {
namespace {

using core::Error;
using core::Printable;

constexpr std::int64_t kMicros = 1'000'000;
constexpr char kElsewhere[] = "/var/tmp";

/// A setting of the server; empty when it has none.
std::string Setting(RestoreServer& server, const std::string& name) {
  return server.admin().Value("SELECT pg_catalog.current_setting(" + core::SqlLiteral(name) + ", true)");
}

std::string StoreOf(const RecoverOptions& options, RestoreServer& server) {
  std::string path = PathOfStores(options.store);
  if (path.empty()) path = Setting(server, "mfi.recovery_directory");
  if (!path.empty()) return path;
  throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
              "mfi.recovery_directory is not set on this server; nothing was changed", {},
              "Where another node receives, --store names its directory: mfi recover --store /path ...");
}

std::string ScratchOf(const RecoverOptions& options, RestoreServer& server) {
  if (!options.scratch.empty()) return options.scratch;
  std::string path = Setting(server, "mfi.scratch_directory");
  return !path.empty() && access(path.c_str(), W_OK) == 0 ? path : kElsewhere;
}

/// What gives values their meaning in the sessions of the live server: nothing of its configuration is in the store's.
std::vector<std::string> SessionSettings(RestoreServer& live) {
  std::vector<std::string> settings =
      os::ReadSessionSettings(*live.Open(os::SessionKind::kSettingsOfSuperuser, "postgres"));
  std::erase_if(settings, [](const std::string& setting) {
    return setting.substr(0, setting.find('=')).find('.') != std::string::npos;
  });
  return settings;
}

/// A set of the recovered database, by the same steps as each backup.
core::RunRecord DumpRecovered(Recovering& recovering, const std::string& database, const std::string& directory,
                              CommandHost& host) {
  os::BackupJob job;
  job.record.id = core::RunId(database, host.Now());
  job.record.database = database;
  job.record.node = recovering.job().node;
  job.record.queued_at = host.Now();
  job.record.trigger = "manual";
  job.directory = directory;
  job.data_directory = recovering.server().place().DataDirectory();
  job.binary_directory = recovering.job().binary_directory;
  job.server_major = recovering.job().server_major;
  job.socket_directory = recovering.server().place().socket_directory();
  job.port = 5432;
  job.superuser = recovering.job().superuser;
  job.keywords = os::kOverSocket;
  job.compression = "zstd:1";
  job.lock_timeout_ms = 60'000;
  core::RunRecord run = os::RunBackup(job, host);
  if (run.state == core::RunState::kSucceeded) return run;
  throw Error(core::sqlstate::kExternalRoutine, "the recovered database could not be dumped: " + run.error);
}

std::string NameAt(const std::string& database, std::int64_t micros) {
  return WithSuffix(database, "_at_" + core::FormatCompact(micros / kMicros));
}

}  // namespace

void ListRecovery(const RecoverOptions& options, std::ostream& out) {
  std::string path = PathOfStores(options.store);
  if (path.empty()) {
    CommandHost host;
    RestoreServer server(host, "postgres");
    path = StoreOf(options, server);
  }
  for (const FoundStore& store : FindStores(path)) out << Describe(store);
}

void RecoverBeside(const RecoverOptions& options, std::ostream& out) {
  CommandHost host;
  const RecoveryTarget target = TargetOf(options, host.Now());
  RestoreServer live(host, "postgres");
  std::string database = options.database.empty() ? Setting(live, "mfi.database") : options.database;
  if (database.empty()) {
    throw Error(core::sqlstate::kInvalidParameterValue, "the server does not say which database is the bank's", {},
                "Name it: --database mfi_banking");
  }
  if (!options.into.empty() && live.Exists(options.into)) {
    throw Error("42P04", "database \"" + Printable(options.into) + "\" is there already; nothing was changed", {},
                "Choose another name for --into.");
  }
  const std::string system_identifier =
      live.admin().Value("SELECT system_identifier FROM pg_catalog.pg_control_system()");
  Recovering recovering(target, StoreOf(options, live), system_identifier, ScratchOf(options, live),
                        SessionSettings(live), host, out);
  recovering.Run();
  const std::string sets = recovering.server().place().directory() + "/sets";
  os::MakeDirectory(sets, 0700);
  out << "Taking database " << Printable(database) << " out of it" << std::endl;
  const core::RunRecord run = DumpRecovered(recovering, database, sets, host);
  std::string into = options.into;
  if (into.empty()) into = NameAt(database, target.micros.value_or(recovering.last_commit()));
  Restore({.set = sets + "/" + run.id,
           .into = into,
           .globals = options.globals,
           .jobs = options.jobs,
           .called = "mfi recover",
           .temporary = true},
          out);
  out << "Database " << Printable(into) << " is as " << Printable(database) << " was at " << target.Words()
      << std::endl;
  if (!live.Exists(database)) {
    out << "There is no live database " << Printable(database) << ". To put it in its place:\n  ALTER DATABASE "
        << Printable(core::QuoteIdentifier(into)) << " RENAME TO " << Printable(core::QuoteIdentifier(database))
        << std::endl;
    return;
  }
  const auto then = live.Open(os::SessionKind::kSuperuserOnOthersData, into);
  const auto now = live.Open(os::SessionKind::kSuperuserOnOthersData, database);
  out << "What it held then, and what the live database holds now:\n"
      << RowsTable(ReadRestored(*then), ReadRestored(*now), {"then", "now", "differs"}) << std::flush;
}

}  // namespace mfi::command
