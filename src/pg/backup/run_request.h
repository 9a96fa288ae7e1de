#pragma once

#include "core/backup/run_record.h"
#include "pg/backup/run_board.h"

namespace mfi::pg {

/// Gives the request its time of queueing and its id, which no other run of the backup directory has.
void AssignId(BackupRequest& request);

/// The record a run begins with.
core::RunRecord ToRecord(const BackupRequest& request);

}  // namespace mfi::pg
