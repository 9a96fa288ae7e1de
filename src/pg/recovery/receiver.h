#pragma once

#include <cstdint>
#include <string>

#include "pg/server/pg.h"

struct BackgroundWorkerHandle;

namespace mfi::pg {

/// The watcher's part that keeps the receiver running while mfi.recovery_directory is set, ends it when that names
/// another directory or none, and then leaves no slot behind.
class ReceiverWatch {
 public:
  /// One round; returns milliseconds until it wants the next one.
  long Round();

 private:
  BackgroundWorkerHandle* worker_ = nullptr;
  std::string directory_;  // that it was started for
  std::int64_t again_at_us_ = 0;
};

}  // namespace mfi::pg
