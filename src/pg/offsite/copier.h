#pragma once

#include "pg/server/kept_worker.h"

namespace mfi::pg {

/// The watcher's part that keeps the copier running while mfi.offsite_repository is set, and starts drills from a copy
/// that somebody asks for.
class CopierWatch {
 public:
  /// One round; returns milliseconds until it wants the next one.
  long Round();

 private:
  KeptWorker copier_{"mfi copier", "mfi_copier_main"};
  BackgroundWorkerHandle* drill_ = nullptr;
};

}  // namespace mfi::pg
