#pragma once

#include <iosfwd>

#include "command/node/promote.h"
#include "core/node/node_place.h"

namespace mfi::command {

/// `mfi promote` in a container: makes this node the primary after the other one was lost, and keeps that for later
/// starts. It refuses unless the other node is a standby, or proven to be dead. With `options.primary_is_down` the
/// operator says so, and this one is started as the primary until the next start, whatever the other one is. Returns
/// the exit code.
int PromoteNode(const core::NodePlace& place, PromoteOptions options, std::ostream& out);

}  // namespace mfi::command
