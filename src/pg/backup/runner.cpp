#include <string>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "os/backup/backup_run.h"
#include "os/process/child.h"
#include "os/server/session.h"
#include "pg/backup/run_board.h"
#include "pg/backup/run_host.h"
#include "pg/backup/run_request.h"
#include "pg/server/bridge.h"
#include "pg/server/identity.h"
#include "pg/server/preloaded.h"
#include "pg/server/settings.h"
#include "pg/server/worker_session.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xact.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "postmaster/postmaster.h"
#include "storage/ipc.h"
}

// The runner: one dynamic background worker for one backup, or one verification. It is attached to no database;
// everything it does to the database goes through libpq and child processes, whatever can throw through os::RunBackup.
namespace mfi::pg {
namespace {

/// Runs on every way out that runs anything at all; C++ destructors do not, on FATAL.
extern "C" void OnRunnerExit(int, Datum) {
  os::StopAllChildren();
  RunnerLeavesBoard();
}

os::BackupJob MakeJob() {
  os::BackupJob job;
  job.record.node = NodeName();
  job.directory = settings::backup_directory;
  job.data_directory = DataDir;
  job.binary_directory = BinaryDirectory();
  job.server_major = PG_VERSION_NUM / 10000;
  job.socket_directory = SocketDirectory();
  job.port = PostPortNumber;
  CallPg([] { StartTransactionCommand(); });
  job.superuser = BootstrapSuperuser();
  job.preload = OtherPreloadedLibraries();
  job.preload_settings = SettingsOfLibraries();
  CallPg([] { CommitTransactionCommand(); });
  job.source = settings::BackupSource();
  job.source_conninfo = settings::backup_source_conninfo;
  job.standby_limits = {.lag_bytes = std::int64_t{1024} * 1024 * settings::lag_warning_mb,
                        .silence_s = settings::silence_warning_s};
  job.compression = settings::backup_compression;
  job.jobs = settings::backup_jobs;
  job.niceness = settings::backup_nice;
  job.lock_timeout_ms = settings::backup_lock_timeout_ms;
  job.verify = settings::BackupVerify();
  job.scratch_directory = ScratchDirectory();
  job.proof_timeout = std::chrono::seconds(settings::proof_timeout_s);
  job.sandbox.readable = InstallationDirectories();
  job.group_read = settings::backup_group_read;
  job.retention = ConfiguredRetention();
  return job;
}

void Report(const core::RunRecord& run) {
  if (run.state == core::RunState::kSucceeded) {
    ReportSuccess();
  } else {
    ReportFailure(run.id, run.error);
  }
  const std::string state = core::ToString(run.state);
  const std::string more = run.error.empty() ? core::FormatBytes(run.size_bytes.value_or(0)) : run.error;
  const char* id = run.id.c_str();
  const char* how = state.c_str();
  const char* what = more.c_str();
  CallPg([&] { ereport(LOG, (errmsg("mfi backup %s %s: %s", id, how, what))); });
}

void Work(const BackupRequest& request, os::BackupJob job, LatchHost& host) {
  job.record = ToRecord(request);
  Report(os::RunBackup(job, host));
}

void Work(const VerifyRequest& request, const os::BackupJob& job, LatchHost& host) {
  try {
    Answer(request.ticket, os::VerifySet(job, request.id, host), false);
  } catch (const core::Error& error) {
    Answer(request.ticket, error.what(), true);
  }
}

}  // namespace

}  // namespace mfi::pg

extern "C" void mfi_runner_main(Datum) {
  pqsignal(SIGHUP, SIG_IGN);
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  BackgroundWorkerUnblockSignals();
  mfi::pg::BeginWorkerSession(nullptr);
  mfi::pg::Request request{};
  if (!mfi::pg::Claim(request)) proc_exit(0);
  before_shmem_exit(mfi::pg::OnRunnerExit, 0);
  mfi::pg::Guard([&] {
    using namespace mfi;
    os::ForgetLibpqEnvironment();
    const os::BackupJob job = pg::MakeJob();
    pg::LatchHost host(std::chrono::seconds(pg::settings::backup_timeout_s));
    std::visit([&](const auto& kind) { pg::Work(kind, job, host); }, request);
  });
  proc_exit(0);
}
