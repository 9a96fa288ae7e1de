#pragma once

#include "core/replication/replication.h"

// How long a healthy link may say nothing, as PostgreSQL's settings have it.
namespace mfi::pg {

/// Of what this standby hears: it asks after half of its time-out.
core::SilenceBound UpstreamBound();

/// Of what standbys say to this node.
core::SilenceBound StandbyBound();

/// So often a standby speaks, as far as this node's settings tell.
double StandbySpeaksEveryS();

}  // namespace mfi::pg
