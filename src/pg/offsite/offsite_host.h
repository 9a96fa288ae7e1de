#pragma once

#include "pg/backup/run_host.h"

namespace mfi::pg {

/// Waits on the latch and stops for shutdown alone: how long a line needs nobody knows.
class OffsiteHost : public LatchHost {
 public:
  OffsiteHost() : LatchHost(std::chrono::hours(24 * 365)) {}

  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override;
  void Progress(core::RunState, std::int64_t) override {}
};

}  // namespace mfi::pg
