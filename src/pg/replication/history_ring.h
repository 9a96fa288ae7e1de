#pragma once

#include <string>
#include <vector>

#include "core/replication/replication_history.h"
#include "pg/server/shared_state.h"

// The launcher's samples of the last hours, in a ring of fixed size in shared memory: it needs no table and writes no
// WAL, so it is there on a standby too. It ends with the server.
namespace mfi::pg {

/// A day of one peer at the default mfi.sample_interval, in about 2 MB.
inline constexpr int kHistoryRows = 17280;

/// Called with the other shared memory's request and start.
void RequestHistoryMemory();
void FindHistoryMemory(LWLock* lock);

/// Adds the samples of one look.
void Remember(const std::vector<core::ReplicationSample>& samples);

/// Samples since this moment, oldest first.
std::vector<core::ReplicationSample> Remembered(TimestampTz since);

}  // namespace mfi::pg
