#include "pg/recovery/receiver.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/recovery/recovery_times.h"
#include "core/recovery/wal_line.h"
#include "os/process/child.h"
#include "os/recovery/drill.h"
#include "os/recovery/wal_end.h"
#include "os/recovery/wal_receiver.h"
#include "os/server/session.h"
#include "pg/recovery/received_until.h"
#include "pg/recovery/recovery_board.h"
#include "pg/recovery/recovery_settings.h"
#include "pg/recovery/slot_left.h"
#include "pg/recovery/store_keeper.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/pg_zone_rule.h"
#include "pg/server/settings.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
}

// The receiver: a worker that is there while mfi.recovery_directory is set. It keeps pg_receivewal running and starts
// bases and drills, one at a time. It alone and what it starts touch that directory, whose file system may keep it for
// as long as it likes.
namespace mfi::pg {
namespace {

using core::RecoveryWork;
using core::UtcSeconds;

constexpr long kRoundMs = 1000;
constexpr std::int64_t kThinkAgainUs = 10'000'000;

extern "C" void OnReceiverExit(int, Datum) {
  os::StopAllChildren();
  ReceiverGoes();
}

class ReceiverWaiter : public os::Waiter {
 public:
  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override {
    ReceiverComesRound();
    CallPg([&] { WaitOnLatch(static_cast<long>(limit.count()), fd, for_write); });
  }
};

class Receiver : public Rounds {
 public:
  void Start() override {
    os::ForgetLibpqEnvironment();
    CallPg([] { StartTransactionCommand(); });
    os::RecoveryJob job = MakeRecoveryJob();
    CallPg([] { CommitTransactionCommand(); });
    receiver_ = std::make_unique<os::WalReceiver>(std::move(job), waiter_);
  }

  void Reload() override { think_at_us_ = 0; }

  long Round() override {
    ReceiverComesRound();
    LetReplayGoOn();
    Receive();
    WatchRunner();
    if (process_ == nullptr) StartNext();
    ReceiverComesRound();
    return kRoundMs;
  }

 private:
  /// A drill that died while it had paused replay.
  static void LetReplayGoOn() {
    if (!ReplayIsLeftPaused()) return;
    CallPg([] {
      if (RecoveryInProgress()) SetRecoveryPause(false);
    });
    ReplayGoesOn();
  }

  void Receive() {
    const os::WalReceiver::State& state = receiver_->Look();
    if (state.receiving && !receives_) think_at_us_ = 0;
    receives_ = state.receiving;
    ReceivedWal shown{.receiving = state.receiving,
                      .received = state.received,
                      .sent_end = state.sent_end,
                      .complete_at = until_.Look(state.receiving, state.received, state.sent_end)};
    strlcpy(shown.error, state.error.c_str(), sizeof(shown.error));
    strlcpy(shown.gap, state.gap.c_str(), sizeof(shown.gap));
    ShowReceived(shown);
    if (state.error == told_) return;
    told_ = state.error;
    const char* error = told_.c_str();
    if (!told_.empty()) CallPg([&] { ereport(LOG, (errmsg("mfi receives no WAL for recovery: %s", error))); });
  }

  void WatchRunner() {
    if (process_ == nullptr) return;
    BackgroundWorkerHandle* handle = process_;
    const BgwHandleStatus status = CallPg([&] {
      pid_t pid = 0;
      return GetBackgroundWorkerPid(handle, &pid);
    });
    if (status != BGWH_STOPPED) return;
    TakeBackRecovery();
    CallPg([&] { pfree(handle); });
    process_ = nullptr;
    Count(working_ == RecoveryWork::kDrill ? drill_failures_ : base_failures_, LastRecoveryFailure().empty());
    think_at_us_ = 0;
  }

  static void Count(core::FailedAttempts& attempts, bool succeeded) {
    attempts.count = succeeded ? 0 : attempts.count + 1;
    attempts.last = UtcNow();
  }

  void StartNext() {
    if (const std::optional<RecoveryRequest> asked = OldestRecoveryRequest()) return Begin(*asked);
    if (MonotonicMicros() < think_at_us_) return;
    think_at_us_ = MonotonicMicros() + kThinkAgainUs;
    const std::optional<RecoveryWork> due = Due();
    if (due) Begin({*due, 0});
  }

  /// Nothing before WAL is received: a base without it is none.
  std::optional<RecoveryWork> Due() {
    if (!WalReceived().receiving) return std::nullopt;
    const pg_tz* tz = CallPg([] { return pg_tzset(settings::ScheduleTimezone()); });
    if (tz == nullptr) return std::nullopt;
    const PgZoneRule zone(tz);
    core::DueInput input;
    input.now = UtcNow();
    const core::RecoveryTimes times(settings::recovery_full_schedule, settings::recovery_incremental_schedule, zone);
    input.full = times.Full(input.now);
    input.incremental = times.Incremental(input.now);
    input.base_failures = base_failures_;
    input.drill_failures = drill_failures_;
    try {
      input.situation = SituationOf(ConfiguredStore());
      input.drills = os::ReadDrills(ConfiguredStore());
    } catch (const core::Error& error) {
      const std::string why = error.what();
      CallPg([&] { ereport(LOG, (errmsg("mfi cannot read its recovery store: %s", why.c_str()))); });
      return std::nullopt;
    }
    const core::RecoveryDue due = core::NextRecoveryWork(input);
    if (due.work == RecoveryWork::kNone) return std::nullopt;
    return due.work;
  }

  void Begin(const RecoveryRequest& request) {
    HandOverRecovery(request);
    working_ = request.work;
    const char* type = request.work == RecoveryWork::kDrill ? "mfi drill" : "mfi base";
    process_ = CallPg([&] { return StartWorker(type, "mfi_recovery_main", WorkerKind::kWithDatabase); });
    if (process_ == nullptr) {
      TakeBackRecovery();
      Count(working_ == RecoveryWork::kDrill ? drill_failures_ : base_failures_, false);
    }
  }

  ReceiverWaiter waiter_;
  std::unique_ptr<os::WalReceiver> receiver_;
  ReceivedUntil until_;
  bool receives_ = false;
  std::string told_;
  BackgroundWorkerHandle* process_ = nullptr;
  RecoveryWork working_ = RecoveryWork::kNone;
  core::FailedAttempts base_failures_;
  core::FailedAttempts drill_failures_;
  std::int64_t think_at_us_ = 0;
};

void Announce() {
  ReceiverBegins();
  before_shmem_exit(OnReceiverExit, 0);
}

}  // namespace

long ReceiverWatch::Round() {
  constexpr std::int64_t kAgainUs = 5'000'000;
  WantReceiver(RecoveryIsOn());
  if (receiver_.Round(settings::recovery_directory) || MonotonicMicros() < drop_at_us_) return KeptWorker::kRoundMs;
  DropSlotLeft();
  drop_at_us_ = MonotonicMicros() + kAgainUs;
  return KeptWorker::kRoundMs;
}

}  // namespace mfi::pg

extern "C" void mfi_receiver_main(Datum) {
  mfi::pg::WorkInRounds(mfi::pg::Announce,
                        []() -> std::unique_ptr<mfi::pg::Rounds> { return std::make_unique<mfi::pg::Receiver>(); });
}
