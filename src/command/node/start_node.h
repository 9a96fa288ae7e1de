#pragma once

#include <iosfwd>

#include "core/node/node_place.h"

// What the entrypoints ask before their server starts. All return the exit code.
namespace mfi::command {

/// There is nothing to clone, and nothing speaks of an old database.
inline constexpr int kMakeAnew = 3;

/// An empty volume gets a clone of the other node. `or_new`: only of one that is a primary; kMakeAnew when nobody is
/// there, an error when somebody is who may have the data.
int CloneNode(const core::NodePlace& place, bool or_new, std::ostream& out);

/// Whether the server of a data directory that is there may start, by evidence: a standby is one still, or is cloned
/// anew; what was a primary's is rewound, or waits for an operator's word. `first`: the node that is the primary unless
/// the other one was promoted. 0 when the server may start.
int StartNode(const core::NodePlace& place, bool first, std::ostream& out);

}  // namespace mfi::command
