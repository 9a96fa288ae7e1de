#include <memory>
#include <string>

#include "os/process/child.h"
#include "pg/backup/backup_scheduler.h"
#include "pg/server/bridge.h"
#include "pg/server/invalid_settings.h"
#include "pg/server/settings.h"
#include "pg/server/shared_state.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xlog.h"
#include "storage/ipc.h"
}

// The launcher: one static background worker on every node, from the first consistent moment on. It is attached to
// no database and never waits for another process; any error ends it, and the postmaster starts it again. It reads and
// writes in the backup directory, whose file system may keep it for as long as it likes: what must go on then is the
// watcher's.
namespace mfi::pg {
namespace {

extern "C" void OnLauncherExit(int, Datum) {
  os::StopAllChildren();
  SharedState& shared = *Shared();
  LWLockAcquire(shared.lock, LW_EXCLUSIVE);
  shared.launcher_pid = 0;
  shared.launcher_latch = nullptr;
  shared.waiting_count = 0;
  // A runner that has not begun finds nothing to do, so that the next launcher does not wait for it.
  if (shared.current.state == RunnerState::kStarting) shared.current = {};
  LWLockRelease(shared.lock);
  ConditionVariableBroadcast(&shared.run_changed);
}

class Launcher : public Rounds {
 public:
  void Start() override {
    CheckSettings(true);
    scheduler_.Start();
  }

  void Reload() override { CheckSettings(false); }

  long Round() override {
    ComeRound();
    const long until_due = scheduler_.Round();
    ComeRound();
    return Max(1L, Min(until_due, static_cast<long>(settings::sample_interval_ms)));
  }

 private:
  static void ComeRound() {
    const StateLock lock(LW_EXCLUSIVE);
    Shared()->launcher_round_us = MonotonicMicros();
  }

  /// A schedule found wrong at server start is held: the default must not quietly replace the one that was meant.
  /// One made wrong later leaves the old value in force, and the schedule goes on with it.
  void CheckSettings(bool at_start) {
    const std::string invalid = DescribeInvalidSettings();
    held_ = !invalid.empty() && (at_start || held_);
    SharedState& shared = *Shared();
    const StateLock lock(LW_EXCLUSIVE);
    strlcpy(shared.invalid_settings, invalid.c_str(), sizeof(shared.invalid_settings));
    shared.schedule_held = held_;
  }

  BackupScheduler scheduler_;
  bool held_ = false;
};

void Announce() {
  SharedState& shared = *Shared();
  LWLockAcquire(shared.lock, LW_EXCLUSIVE);
  shared.launcher_pid = MyProcPid;
  shared.launcher_latch = MyLatch;
  shared.launcher_started_at = GetCurrentTimestamp();
  shared.launcher_round_us = MonotonicMicros();
  LWLockRelease(shared.lock);
  before_shmem_exit(OnLauncherExit, 0);
}

}  // namespace

void RegisterLauncher() { RegisterStaticWorker("mfi launcher", "mfi_launcher_main"); }

}  // namespace mfi::pg

extern "C" void mfi_launcher_main(Datum) {
  mfi::pg::WorkInRounds(mfi::pg::Announce,
                        []() -> std::unique_ptr<mfi::pg::Rounds> { return std::make_unique<mfi::pg::Launcher>(); });
}
