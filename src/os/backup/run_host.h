#pragma once

#include <cstdint>
#include <string>

#include "core/backup/run_record.h"
#include "os/base/waiter.h"

namespace mfi::os {

/// What the process around a run gives it: waiting, the clock, PostgreSQL's SHA-256, and eyes on its progress.
class RunHost : public Waiter {
 public:
  virtual core::UtcSeconds Now() = 0;

  /// Lower-case hex digest of an open regular file; calls Wait now and then, so that a large file does not hold up a
  /// cancel. `shown` is its name in an error.
  virtual std::string Sha256OfFile(int fd, const std::string& shown) = 0;

  /// Called at every change of state and, while dumping, with the bytes written so far.
  virtual void Progress(core::RunState state, std::int64_t bytes) = 0;

  /// Called when a dump from the standby begins and ends.
  virtual void DumpsStandby(bool) {}
};

}  // namespace mfi::os
