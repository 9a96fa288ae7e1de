#pragma once

#include "core/replication/replication.h"
#include "pg/replication/replication_raw.h"

namespace mfi::pg {

/// What core needs to judge this node's replication, from shared memory and the launcher's memory of peers.
core::ReplicationFacts GatherReplicationFacts();

/// Limits in force.
core::ReplicationLimits ConfiguredLimits();

/// The verdict of now.
inline core::ReplicationStatus JudgeNow() {
  return core::JudgeReplication(GatherReplicationFacts(), ConfiguredLimits());
}

}  // namespace mfi::pg
