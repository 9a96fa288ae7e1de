#pragma once

#include <chrono>

namespace mfi::os {

/// How a run waits. The server's implementation sleeps on the process latch and looks for cancel, shutdown and the
/// time limit; tests use a plain poll().
class Waiter {
 public:
  virtual ~Waiter() = default;

  /// Returns when `fd` is readable (or writable, with `for_write`), when `limit` is over, or earlier for no reason.
  /// fd < 0 waits for time alone. Throws core::Error when the run has to stop.
  virtual void Wait(int fd, bool for_write, std::chrono::milliseconds limit) = 0;
};

}  // namespace mfi::os
