#pragma once

#include <string>
#include <vector>

#include "core/replication/replication_history.h"
#include "pg/server/pg.h"

// The watcher's samples of the last hours, in a ring of fixed size in shared memory: it needs no table and writes no
// WAL, so it is there on a standby too. It ends with the server.
namespace mfi::pg {

/// A day of one peer at the default mfi.sample_interval, in about 2 MB.
inline constexpr int kHistoryRows = 17280;

/// Asks for the shared memory of this module; called from _PG_init while preloading.
void InitHistoryRing();

/// Adds the samples of one look.
void Remember(const std::vector<core::ReplicationSample>& samples);

/// Samples since this moment, oldest first. Needs the shared memory (RequirePreloaded).
std::vector<core::ReplicationSample> Remembered(TimestampTz since);

}  // namespace mfi::pg
