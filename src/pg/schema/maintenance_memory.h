#pragma once

#include <string>

#include "core/node/maintenance_pace.h"
#include "pg/server/pg.h"

// What the watcher and the maintainer that it starts tell each other, in shared memory, and what the verdict reads.
namespace mfi::pg {

/// Asks for the shared memory of this module; called from _PG_init while preloading.
void InitMaintenanceMemory();

/// Called by the watcher before it starts a maintainer: that one has not answered yet.
void ExpectMaintainer();

/// Called by the maintainer at its end. `failure`: why it could not work; empty: for no reason that anybody must know.
/// With `lock_met` the failure is kept only when the last maintainer met a lock, too: a lock that is there once is no
/// news, and the next attempt comes within minutes.
void ReportMaintenance(core::MaintenanceEnd end, bool lock_met, const std::string& failure);

/// Called by the watcher when the maintainer's process has ended: how. When it has not answered, its end is the
/// failure.
core::MaintenanceEnd MaintainerEnded();

/// The partitions for rows whose month has none, one of each audit table.
struct DefaultPartitions {
  Oid database;
  int count;
  Oid relations[8];
};

/// Called by the maintainer when it has seen to them; the watcher asks for the last report. None: count 0.
void ReportDefaultPartitions(const DefaultPartitions& partitions);
DefaultPartitions LastDefaultPartitions();

/// Why the audit tables are not kept; empty: they are. Without shared memory nothing is known.
void ShowMaintenanceFailure(const char* why);
std::string MaintenanceFailure();

}  // namespace mfi::pg
