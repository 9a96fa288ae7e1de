#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mfi::core {

/// A setting of a standby that is lower than its primary's. Replay has stopped for it, and the server ends when it is
/// told to go on.
struct LowSetting {
  std::string name;
  std::int64_t here = 0;
  std::int64_t least = 0;  // the primary's
};

/// `max_connections to at least 200 (it is 100), ...`
std::string RaiseThem(const std::vector<LowSetting>& settings);

}  // namespace mfi::core
