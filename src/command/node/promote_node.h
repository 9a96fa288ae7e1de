#pragma once

#include <iosfwd>

#include "core/node/node_place.h"

namespace mfi::command {

/// `mfi promote` in a container: makes this node the primary after the other one was lost, and keeps that for later
/// starts. It refuses while the other node is a primary that answers, or while somebody answers in its place; with
/// `force` both are primaries then, until one of the containers starts again. Returns the exit code.
int PromoteNode(const core::NodePlace& place, bool force, std::ostream& out);

}  // namespace mfi::command
