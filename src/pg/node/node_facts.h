#pragma once

#include "core/node/node_health.h"

namespace mfi::pg {

/// What core needs to judge this server. `schema`: what the database says of its own tables.
core::NodeFacts GatherNodeFacts(core::Reasons schema);

}  // namespace mfi::pg
