#pragma once

#include <string>

// What the watcher and the maintainer that it starts tell each other, in shared memory, and what the verdict reads.
namespace mfi::pg {

/// Asks for the shared memory of this module; called from _PG_init while preloading.
void InitMaintenanceMemory();

/// Called by the watcher before it starts a maintainer: that one has not answered yet.
void ExpectMaintainer();

/// Called by the maintainer at its end. `done`: all that was to be done was done. `failure`: why not; empty: for no
/// reason that anybody must know. With `lock_met` the failure is kept only when the last maintainer met a lock, too: a
/// lock that is there once is no news, and the next attempt comes within minutes.
void ReportMaintenance(bool done, bool lock_met, const std::string& failure);

/// Called by the watcher when the maintainer's process has ended: whether it did all of its work. When it has not
/// answered, its end is the failure.
bool MaintainerEnded();

/// Why the audit tables are not kept; empty: they are. Without shared memory nothing is known.
void ShowMaintenanceFailure(const char* why);
std::string MaintenanceFailure();

}  // namespace mfi::pg
