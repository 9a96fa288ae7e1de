#pragma once

#include <cstdint>

namespace mfi::core {

/// Seconds since 1970-01-01 00:00:00 UTC. Core never reads the clock: `now` is always an argument.
using UtcSeconds = std::int64_t;

inline constexpr std::int64_t kMinute = 60;
inline constexpr std::int64_t kHour = 60 * kMinute;
inline constexpr std::int64_t kDay = 24 * kHour;

}  // namespace mfi::core
