#include <string>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "os/backup/backup_run.h"
#include "os/process/child.h"
#include "os/server/session.h"
#include "pg/backup/backup_job.h"
#include "pg/backup/run_board.h"
#include "pg/backup/run_host.h"
#include "pg/backup/run_request.h"
#include "pg/server/bridge.h"
#include "pg/server/settings.h"
#include "pg/server/worker_session.h"
#include "pg/server/workers.h"

extern "C" {
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
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
    const os::BackupJob job = pg::MakeBackupJob();
    pg::LatchHost host(std::chrono::seconds(pg::settings::backup_timeout_s));
    std::visit([&](const auto& kind) { pg::Work(kind, job, host); }, request);
  });
  proc_exit(0);
}
