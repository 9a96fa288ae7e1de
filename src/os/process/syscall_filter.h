#pragma once

#include <linux/filter.h>

#include <vector>

namespace mfi::os {

/// The system calls that a sandbox forbids, as the kernel's filter program.
class SyscallFilter {
 public:
  /// Throws Error when it cannot be made.
  SyscallFilter();

  /// Filters this process; false when the kernel refuses. Async-signal-safe.
  bool Enter() const;

 private:
  std::vector<sock_filter> program_;
};

}  // namespace mfi::os
