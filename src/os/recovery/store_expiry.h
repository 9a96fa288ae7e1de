#pragma once

#include <cstdint>

#include "core/base/time.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

/// Deletes what recovery to any second of the last `window_seconds` does not need: chains, and WAL before the oldest
/// base that stays. Only after a drill that was "ok".
void ExpireStore(const RecoveryStore& store, std::int64_t window_seconds, core::UtcSeconds now);

}  // namespace mfi::os
