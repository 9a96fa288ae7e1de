#pragma once

#include "core/base/verdict.h"
#include "core/recovery/recovery_facts.h"

namespace mfi::core {

inline constexpr char kRecoveryOff[] = "recovery-off";

/// Gravest first. Recovery that is off is told as information alone.
Reasons JudgeRecovery(const RecoveryFacts& facts);

}  // namespace mfi::core
