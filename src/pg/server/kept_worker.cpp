#include "pg/server/kept_worker.h"

#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/workers.h"

extern "C" {
#include "postmaster/bgworker.h"
}

namespace mfi::pg {
namespace {

constexpr std::int64_t kAgainUs = 5'000'000;

}  // namespace

bool KeptWorker::Round(const std::string& wanted) {
  if (worker_ != nullptr) {
    BackgroundWorkerHandle* handle = worker_;
    const BgwHandleStatus status = CallPg([&] {
      pid_t pid = 0;
      return GetBackgroundWorkerPid(handle, &pid);
    });
    if (status != BGWH_STOPPED) {
      if (started_for_ != wanted) CallPg([&] { TerminateBackgroundWorker(handle); });
      return true;
    }
    CallPg([&] { pfree(handle); });
    worker_ = nullptr;
    again_at_us_ = MonotonicMicros() + kAgainUs;
  }
  if (wanted.empty()) return false;
  if (MonotonicMicros() < again_at_us_) return true;
  started_for_ = wanted;
  worker_ = CallPg([&] { return StartWorker(type_, function_, WorkerKind::kWithDatabase); });
  again_at_us_ = MonotonicMicros() + kAgainUs;
  return true;
}

}  // namespace mfi::pg
