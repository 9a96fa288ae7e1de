#pragma once

#include <iosfwd>

#include "core/node/node_place.h"

namespace mfi::command {

/// `mfi rejoin` in a container: this node, which was the primary, is to become a standby of the other one, which was
/// promoted. It gives up what only this node has written since. The entrypoint does it (StartNode); a server that runs
/// is ended, so that the container starts again. Returns the exit code.
int RejoinNode(const core::NodePlace& place, std::ostream& out);

}  // namespace mfi::command
