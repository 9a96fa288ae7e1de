#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "os/base/waiter.h"

namespace mfi::os {

/// What a file of WAL gave.
struct WalReading {
  std::int64_t bytes = 0;
  std::int64_t stored = 0;  // of the file, up to there or to the end of lz4's frame
  bool whole = false;       // a plain file, or lz4's frame to its end; false: cut off, or damaged after these bytes
};

/// Gives `take` what an open file holds, piece by piece, and no more than `limit` bytes: when it holds more, `bytes` is
/// larger than that. What lies behind the end of lz4's frame counts for nothing. Of a file that was cut off, and of one
/// whose frame has block checksums and was damaged, what is given is the beginning of what was written; otherwise a
/// damaged block that lz4 can still read gives other bytes, which only the frame's content checksum tells, if it has
/// one. `shown` is its name in an error.
WalReading ReadWal(int fd, const std::string& shown, bool compressed, std::int64_t limit, Waiter& waiter,
                   const std::function<void(std::string_view)>& take);

}  // namespace mfi::os
