#include "pg/offsite/copier.h"

#include <algorithm>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/offsite/offsite_due.h"
#include "os/offsite/offsite_run.h"
#include "os/process/child.h"
#include "os/server/session.h"
#include "pg/offsite/offsite_board.h"
#include "pg/offsite/offsite_facts.h"
#include "pg/offsite/offsite_host.h"
#include "pg/offsite/offsite_settings.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/settings.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xlog.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
}

// The copier: a worker that is there while mfi.offsite_repository is set. It copies what this node has to a repository
// elsewhere and looks after that, one piece of work at a time. A drill from a copy goes on beside it.
namespace mfi::pg {
namespace {

using core::OffsiteWork;

constexpr long kRoundMs = 1000;
constexpr std::int64_t kThinkAgainUs = 10'000'000;

extern "C" void OnCopierExit(int, Datum) {
  os::StopAllChildren();
  CopierGoes();
}

class CopierHost : public OffsiteHost {
 public:
  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override {
    CopierComesRound();
    OffsiteHost::Wait(fd, for_write, limit);
  }
};

class Copier : public Rounds {
 public:
  void Start() override { os::ForgetLibpqEnvironment(); }

  /// Who has changed something wants to see at once whether it helps.
  void Reload() override {
    think_at_us_ = 0;
    failures_ = 0;
  }

  long Round() override {
    CopierComesRound();
    if (MonotonicMicros() >= think_at_us_) {
      think_at_us_ = MonotonicMicros() + kThinkAgainUs;
      try {
        // What is due after this is looked for at once.
        if (WorkOnce()) think_at_us_ = 0;
      } catch (const core::Stop&) {
      }
    }
    CopierComesRound();
    return kRoundMs;
  }

 private:
  bool WorkOnce() {
    os::OffsiteRun run(MakeOffsiteJob(), MakeOffsiteSource(), host_);
    const core::OffsiteDueInput input = InputOf(run);
    AskForDrillWhenDue(input);
    const core::OffsiteDue due = core::NextOffsiteWork(input);
    if (due.work == OffsiteWork::kNone) return false;
    ShowOffsiteWork(due.work, due.set);
    const bool done = run.Do(due);
    ShowOffsiteWork(OffsiteWork::kNone, {});
    failures_ = done ? 0 : failures_ + 1;
    failed_ = done ? OffsiteWork::kNone : due.work;
    last_failure_ = UtcNow();
    Tell(run.state().error);
    return done;
  }

  static void AskForDrillWhenDue(const core::OffsiteDueInput& input) {
    if (!input.is_primary || OffsiteRunning().drilling || OffsiteDrillIsAsked()) return;
    const bool has_copy =
        std::any_of(input.sets.begin(), input.sets.end(), [](const core::ProvenSet& set) { return set.copied; });
    if (core::OffsiteDrillIsDue(input.now, LastDrillTime(input.now), has_copy, OffsiteDrills())) AskForOffsiteDrill();
  }

  core::OffsiteDueInput InputOf(const os::OffsiteRun& run) const {
    core::OffsiteDueInput input;
    input.now = UtcNow();
    input.is_primary = !CallPg([] { return RecoveryInProgress(); }) && settings::backup_directory[0] != '\0';
    input.has_store = settings::recovery_directory[0] != '\0';
    input.interval_s = settings::offsite_interval_s;
    input.forgets = settings::offsite_keep[0] != '\0';
    if (input.is_primary) input.sets = run.Sets();
    input.state = run.state();
    input.failures = failures_;
    input.failed = failed_;
    input.last_failure = last_failure_;
    return input;
  }

  void Tell(const std::string& error) {
    if (error == told_) return;
    told_ = error;
    const char* text = told_.c_str();
    if (told_.empty()) {
      CallPg([] { ereport(LOG, (errmsg("mfi copies to its repository again"))); });
    } else {
      CallPg([&] { ereport(LOG, (errmsg("mfi cannot copy to its repository: %s", text))); });
    }
  }

  CopierHost host_;
  std::string told_;
  int failures_ = 0;
  OffsiteWork failed_ = OffsiteWork::kNone;
  core::UtcSeconds last_failure_ = 0;
  std::int64_t think_at_us_ = 0;
};

void Announce() {
  CopierBegins();
  before_shmem_exit(OnCopierExit, 0);
}

}  // namespace

long CopierWatch::Round() {
  copier_.Round(OffsiteTarget());
  if (drill_ != nullptr) {
    BackgroundWorkerHandle* handle = drill_;
    const BgwHandleStatus status = CallPg([&] {
      pid_t pid = 0;
      return GetBackgroundWorkerPid(handle, &pid);
    });
    if (status != BGWH_STOPPED) return KeptWorker::kRoundMs;
    CallPg([&] { pfree(handle); });
    drill_ = nullptr;
  }
  if (OffsiteDrillIsAsked()) {
    drill_ = CallPg([] { return StartWorker("mfi drill", "mfi_offsite_drill_main", WorkerKind::kWithDatabase); });
  }
  return KeptWorker::kRoundMs;
}

}  // namespace mfi::pg

extern "C" void mfi_copier_main(Datum) {
  mfi::pg::WorkInRounds(mfi::pg::Announce,
                        []() -> std::unique_ptr<mfi::pg::Rounds> { return std::make_unique<mfi::pg::Copier>(); });
}
