#pragma once

#include <cstdint>

#include "core/base/time.h"

// Moments as core, the server and this machine's processes count them. Nothing here fails.
namespace mfi::pg {

/// Monotonic time in microseconds, comparable between the processes of one machine.
std::int64_t MonotonicMicros();

core::UtcSeconds UtcNow();

/// Start of the postmaster.
core::UtcSeconds ServerStart();

/// From and to the server's timestamptz (microseconds since 2000), rounded down to whole seconds.
core::UtcSeconds ToUtcSeconds(std::int64_t timestamptz);
std::int64_t ToTimestampTz(core::UtcSeconds at);

}  // namespace mfi::pg
