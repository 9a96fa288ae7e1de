#pragma once

#include <string>

#include "os/offsite/offsite_job.h"
#include "os/offsite/offsite_run.h"

namespace mfi::pg {

bool OffsiteIsOn();

/// What the copier was started for: when it changes, it is started anew.
std::string OffsiteTarget();

os::OffsiteJob MakeOffsiteJob();

/// What this node copies: sets as long as it is the primary, its recovery store always.
os::OffsiteSource MakeOffsiteSource();

std::string ConfiguredOffsiteState();

/// Where records of drills from a copy are; empty without a backup directory.
std::string ConfiguredOffsiteDrills();

}  // namespace mfi::pg
