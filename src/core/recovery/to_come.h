#pragma once

#include "core/base/time.h"

namespace mfi::core {

/// Whether what was noted at this time was noted by a clock that has been set back since: it says nothing of now.
inline bool IsToCome(UtcSeconds at, UtcSeconds now) { return at > now + kMinute; }

}  // namespace mfi::core
