#include <chrono>
#include <string>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "core/recovery/recovery_retention.h"
#include "os/process/child.h"
#include "os/recovery/base_run.h"
#include "os/recovery/drill.h"
#include "os/recovery/store_expiry.h"
#include "os/server/session.h"
#include "pg/backup/run_host.h"
#include "pg/recovery/recovery_board.h"
#include "pg/recovery/recovery_settings.h"
#include "pg/server/bridge.h"
#include "pg/server/settings.h"
#include "pg/server/worker_session.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xact.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
}

// One dynamic background worker for one base backup of recovery, or one drill. It is attached to no database.
namespace mfi::pg {
namespace {

using core::RecoveryWork;

extern "C" void OnRecoveryExit(int, Datum) {
  os::StopAllChildren();
  RecoveryRunnerLeaves();
}

/// Waits on the latch; stops for shutdown and mfi.backup_timeout.
class RecoveryHost : public LatchHost {
 public:
  explicit RecoveryHost(std::chrono::seconds limit) : LatchHost(limit), limit_(limit) {}

  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override {
    StopIfAsked();
    CallPg([&] { WaitOnLatch(static_cast<long>(limit.count()), fd, for_write); });
    StopIfAsked();
  }

  void Progress(core::RunState, std::int64_t) override {}

 private:
  void StopIfAsked() const {
    if (ShutdownRequestPending) {
      throw core::Stop(core::Stop::Reason::kOther, "57P01",
                       "interrupted: the server is shutting down, or its process was terminated");
    }
    if (std::chrono::steady_clock::now() < began_ + limit_) return;
    throw core::Stop(core::Stop::Reason::kOther, "57000",
                     "stopped: it took longer than mfi.backup_timeout (" + std::to_string(limit_.count()) + " s)");
  }

  std::chrono::seconds limit_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

void Log(const std::string& text) {
  CallPg([&] { ereport(LOG, (errmsg("mfi recovery: %s", text.c_str()))); });
}

void Make(const os::RecoveryJob& job, bool full, RecoveryHost& host) {
  const core::BaseRecord base = os::MakeBase(job, full, host, ShowRecoveryProgress);
  Log("base " + base.id + " is made, " + core::FormatBytes(base.stored_bytes) +
      (base.remark.empty() ? "" : "; " + base.remark));
  ReportRecovery(false, base.id);
}

void Drill(const os::RecoveryJob& job, RecoveryHost& host) {
  const auto progress = [](const std::string& phase, core::Lsn replayed) {
    ShowRecoveryProgress(phase, static_cast<std::int64_t>(replayed));
  };
  const core::DrillRecord drill = os::RunDrill(job, host, progress, ShowReplayPaused);
  const bool failed = !drill.error.empty() || drill.result != "ok";
  const std::string said = drill.error.empty() ? drill.result : drill.error;
  Log("drill " + drill.id + " of base " + drill.base + ": " + said);
  ReportRecovery(failed, failed ? said : drill.id);
  if (failed) return;
  os::ExpireStore(ConfiguredStore(), settings::recovery_window_s, host.Now());
}

void Work(RecoveryWork work) {
  os::ForgetLibpqEnvironment();
  CallPg([] { StartTransactionCommand(); });
  const os::RecoveryJob job = MakeRecoveryJob();
  CallPg([] { CommitTransactionCommand(); });
  RecoveryHost host(job.limit);
  try {
    if (work == RecoveryWork::kDrill) {
      Drill(job, host);
    } else {
      Make(job, work == RecoveryWork::kFull, host);
    }
  } catch (const core::Error& error) {
    const std::string why = error.hint().empty() ? error.what() : std::string(error.what()) + " (" + error.hint() + ")";
    Log((work == RecoveryWork::kDrill ? "the drill failed: " : "the base failed: ") + why);
    ReportRecovery(true, why);
  }
}

}  // namespace
}  // namespace mfi::pg

extern "C" void mfi_recovery_main(Datum) {
  pqsignal(SIGHUP, SIG_IGN);
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  BackgroundWorkerUnblockSignals();
  mfi::pg::BeginWorkerSession(nullptr);
  mfi::pg::RecoveryRequest request{};
  if (!mfi::pg::ClaimRecovery(request)) proc_exit(0);
  before_shmem_exit(mfi::pg::OnRecoveryExit, 0);
  mfi::pg::Guard([&] { mfi::pg::Work(request.work); });
  proc_exit(0);
}
