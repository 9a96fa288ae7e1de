#pragma once

#include "os/recovery/recovery_job.h"
#include "os/recovery/recovery_store.h"

namespace mfi::pg {

bool RecoveryIsOn();

/// What this node's receiver, bases and drills work with. Needs a transaction.
os::RecoveryJob MakeRecoveryJob();

os::RecoveryStore ConfiguredStore();

}  // namespace mfi::pg
