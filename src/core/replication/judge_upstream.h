#pragma once

#include "core/replication/replication.h"

namespace mfi::core {

/// The row of a standby's upstream, judged: what is received of it, and how far it is replayed.
PeerStatus JudgeUpstream(const ReplicationFacts& facts, const ReplicationLimits& limits);

}  // namespace mfi::core
