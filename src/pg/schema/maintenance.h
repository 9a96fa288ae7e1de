#pragma once

#include <cstdint>

#include "pg/server/pg.h"

struct BackgroundWorkerHandle;

namespace mfi::pg {

/// The watcher's part that keeps the audit tables' partitions ahead: on a primary it starts a short worker in
/// mfi.database, again after an hour, or sooner while it could not do its work.
class Maintenance {
 public:
  /// One round; returns milliseconds until it wants the next one.
  long Round();

 private:
  void WatchWorker();

  BackgroundWorkerHandle* worker_ = nullptr;
  std::int64_t next_us_ = 0;
  std::int64_t pause_us_ = 0;  // before the next attempt, after those that failed
};

}  // namespace mfi::pg
