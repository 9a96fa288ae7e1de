#pragma once

#include <string>
#include <vector>

#include "core/recovery/drill_record.h"
#include "os/backup/run_host.h"
#include "os/recovery/backup_comparison.h"
#include "os/recovery/recovery_job.h"
#include "os/recovery/recovery_store.h"
#include "os/recovery/reference.h"

namespace mfi::os {

/// Recovers this node's database from its store into a private server: to a position at which its contents are known,
/// compares them, and goes on to the newest WAL, where it makes the server a primary. Leaves the record in the store
/// and the result in the record of the base. Never throws but core::Stop: what went wrong is in the record's error.
core::DrillRecord RunDrill(const RecoveryJob& job, RunHost& host, const DrillProgress& progress,
                           const PauseTeller& tell);

/// The drills of a store, oldest first; files that are none are passed over.
std::vector<core::DrillRecord> ReadDrills(const RecoveryStore& store);

}  // namespace mfi::os
