#pragma once

#include <string>
#include <vector>

#include "core/offsite/offsite_drill_record.h"
#include "os/backup/job.h"
#include "os/backup/run_host.h"
#include "os/offsite/offsite_job.h"
#include "os/recovery/recovery_job.h"

namespace mfi::os {

/// Where a drill from a copy finds what it needs. The directories of the jobs are those of this node; the drill works
/// on what it has fetched, in the scratch directory.
struct OffsiteDrillJob {
  OffsiteJob offsite;
  BackupJob backup;
  RecoveryJob recovery;
  std::string drills_directory;  // for its record
};

/// Fetches the newest set of this cluster from the repository and proves it by a restore; then, where there is one, the
/// newest recovery store, recovers from it to its newest commit, and to the moment of that set, if that is in reach,
/// where contents are compared. Leaves the record. Never throws but core::Stop: what went wrong is in the record.
core::OffsiteDrillRecord RunOffsiteDrill(const OffsiteDrillJob& job, RunHost& host);

/// Oldest first; files that are none are passed over.
std::vector<core::OffsiteDrillRecord> ReadOffsiteDrills(const std::string& directory);

}  // namespace mfi::os
