#pragma once

#include "core/recovery/base_plan.h"
#include "os/recovery/recovery_store.h"

namespace mfi::pg {

/// What the store holds and the server has now, for the plan of the next base.
core::BaseSituation SituationOf(const os::RecoveryStore& store);

}  // namespace mfi::pg
