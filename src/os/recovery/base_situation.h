#pragma once

#include "core/recovery/base_plan.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

/// What the store tells for the plan of the next base; what the server has is the caller's.
core::BaseSituation SituationIn(const RecoveryStore& store);

}  // namespace mfi::os
