#pragma once

#include <cstdint>

#include "pg/server/kept_worker.h"

#include "pg/server/pg.h"

namespace mfi::pg {

/// The watcher's part that keeps the receiver running while mfi.recovery_directory is set, ends it when that names
/// another directory or none, and then leaves no slot behind.
class ReceiverWatch {
 public:
  /// One round; returns milliseconds until it wants the next one.
  long Round();

 private:
  KeptWorker receiver_{"mfi receiver", "mfi_receiver_main"};
  std::int64_t drop_at_us_ = 0;
};

}  // namespace mfi::pg
