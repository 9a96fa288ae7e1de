#include "pg/schema/maintenance.h"

#include "pg/schema/maintenance_memory.h"
#include "pg/schema/outside_rows.h"
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

/// Until the next round, where nothing else asks for one sooner.
constexpr long kHourMs = 3600 * 1000;

}  // namespace

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
  const core::MaintenanceEnd end = MaintainerEnded();
  pace_.Look(CountRowsOutside());
  pace_.End(MonotonicMicros(), end);
}

long Maintenance::Round() {
  WatchWorker();
  const bool exists = CallPg([] { return DatabaseExists(settings::database); });
  const bool primary = !CallPg([] { return RecoveryInProgress(); });
  if (worker_ != nullptr) return kHourMs;
  if (!exists || !primary) {
    ShowMaintenanceFailure("");
    return kHourMs;
  }
  pace_.Look(CountRowsOutside());
  if (MonotonicMicros() >= pace_.due_us()) {
    pace_.Begin(MonotonicMicros());
    ExpectMaintainer();
    worker_ = CallPg([] { return StartWorker("mfi maintainer", "mfi_maintainer_main", WorkerKind::kWithDatabase); });
    if (worker_ == nullptr) {
      ShowMaintenanceFailure("no background worker is free for it (raise max_worker_processes and restart)");
    }
  }
  return static_cast<long>((pace_.due_us() - MonotonicMicros()) / 1000) + 1;
}

}  // namespace mfi::pg
