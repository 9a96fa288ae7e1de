#include <memory>
#include <string>

#include "os/process/child.h"
#include "pg/backup/backup_notices.h"
#include "pg/backup/backup_scheduler.h"
#include "pg/backup/run_board.h"
#include "pg/server/bridge.h"
#include "pg/server/invalid_settings.h"
#include "pg/server/settings.h"
#include "pg/server/worker_presence.h"
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
  LauncherGoes();
  LauncherLeavesBoard();
}

class Launcher : public Rounds {
 public:
  void Start() override {
    CheckSettings(true);
    scheduler_.Start();
  }

  void Reload() override { CheckSettings(false); }

  long Round() override {
    LauncherComesRound();
    const long until_due = scheduler_.Round();
    LauncherComesRound();
    return Max(1L, Min(until_due, static_cast<long>(settings::sample_interval_ms)));
  }

 private:
  /// A schedule found wrong at server start is held: the default must not quietly replace the one that was meant.
  /// One made wrong later leaves the old value in force, and the schedule goes on with it.
  void CheckSettings(bool at_start) {
    const std::string invalid = DescribeInvalidSettings();
    held_ = !invalid.empty() && (at_start || held_);
    TellInvalidSettings(invalid);
    ShowScheduleHeld(held_);
  }

  BackupScheduler scheduler_;
  bool held_ = false;
};

void Announce() {
  LauncherBegins();
  before_shmem_exit(OnLauncherExit, 0);
}

}  // namespace

void RegisterLauncher() { RegisterStaticWorker("mfi launcher", "mfi_launcher_main"); }

}  // namespace mfi::pg

extern "C" void mfi_launcher_main(Datum) {
  mfi::pg::WorkInRounds(mfi::pg::Announce,
                        []() -> std::unique_ptr<mfi::pg::Rounds> { return std::make_unique<mfi::pg::Launcher>(); });
}
