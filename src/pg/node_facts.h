#pragma once

#include "core/node_health.h"

namespace mfi::pg {

/// What core needs to judge this server. `schema`: ok, missing or behind.
core::NodeFacts GatherNodeFacts(const std::string& schema);

}  // namespace mfi::pg
