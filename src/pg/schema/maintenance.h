#pragma once

#include "core/node/maintenance_pace.h"
#include "pg/server/pg.h"

struct BackgroundWorkerHandle;

namespace mfi::pg {

/// The watcher's part that keeps the audit tables' partitions ahead: on a primary it starts a short worker in
/// mfi.database, again after an hour, sooner while it could not do its work, and within seconds when rows came whose
/// month has no partition.
class Maintenance {
 public:
  /// One round; returns milliseconds until it wants the next one.
  long Round();

 private:
  void WatchWorker();

  BackgroundWorkerHandle* worker_ = nullptr;
  core::MaintenancePace pace_;
};

}  // namespace mfi::pg
