#pragma once

#include <cstdint>

namespace mfi::pg {

/// Monotonic time in microseconds, comparable between the processes of one machine. Never fails.
std::int64_t MonotonicMicros();

}  // namespace mfi::pg
