#pragma once

#include "core/replication/replication.h"

namespace mfi::pg {

/// Starts the probe, a worker of its own, when mfi.peer_conninfo is set and none runs. A worker, not the launcher:
/// looking up a host name can block for seconds, most likely when the other node is in trouble.
void StartProbeWhenWanted();

/// What the probe last saw of the other node.
core::ProbeFacts GatherProbeFacts();

}  // namespace mfi::pg
