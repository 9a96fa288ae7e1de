#include "pg/schema/maintenance.h"

#include "pg/schema/maintenance_memory.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/database_exists.h"
#include "pg/server/settings.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xlog.h"
#include "postmaster/bgworker.h"
}

namespace mfi::pg {
namespace {

constexpr std::int64_t kMinuteUs = 60 * std::int64_t{1000000};
constexpr std::int64_t kHourUs = 60 * kMinuteUs;
}  // namespace

/// What keeps it from its work (a restore, a dump that holds a lock, no schema yet) may last: each attempt waits
/// longer.
void Maintenance::WatchWorker() {
  if (worker_ == nullptr) return;
  BackgroundWorkerHandle* handle = worker_;
  const BgwHandleStatus status = CallPg([&] {
    pid_t pid = 0;
    return GetBackgroundWorkerPid(handle, &pid);
  });
  if (status != BGWH_STOPPED) return;
  CallPg([&] { pfree(handle); });
  worker_ = nullptr;
  const bool done = MaintainerEnded();
  pause_us_ = done ? 0 : Min(Max(2 * pause_us_, kMinuteUs), kHourUs);
  next_us_ = MonotonicMicros() + (done ? kHourUs : pause_us_);
}

long Maintenance::Round() {
  WatchWorker();
  const bool exists = CallPg([] { return DatabaseExists(settings::database); });
  const bool primary = !CallPg([] { return RecoveryInProgress(); });
  if (worker_ != nullptr) return kHourUs / 1000;
  if (!exists || !primary) {
    ShowMaintenanceFailure("");
    return kHourUs / 1000;
  }
  if (MonotonicMicros() >= next_us_) {
    next_us_ = MonotonicMicros() + kMinuteUs;
    ExpectMaintainer();
    worker_ = CallPg([] { return StartWorker("mfi maintainer", "mfi_maintainer_main", WorkerKind::kWithDatabase); });
    if (worker_ == nullptr) {
      ShowMaintenanceFailure("no background worker is free for it (raise max_worker_processes and restart)");
    }
  }
  return static_cast<long>((next_us_ - MonotonicMicros()) / 1000) + 1;
}

}  // namespace mfi::pg
