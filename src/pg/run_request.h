#pragma once

#include "core/run_record.h"
#include "pg/shared_state.h"

namespace mfi::pg {

/// Gives the request its id and time of queueing: the current second, or the next one not yet given out.
void AssignId(RunRequest& request);

/// The record a run begins with.
core::RunRecord ToRecord(const RunRequest& request);

}  // namespace mfi::pg
