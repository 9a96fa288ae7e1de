#pragma once

#include "core/replication.h"

namespace mfi::core {

/// What to do where no launcher watches.
inline constexpr char kLibraryStep[] =
    "Set shared_preload_libraries = 'mfi' and restart, so that this node is watched.";

/// Reasons that belong to this node and not to one peer of `status`: WAL that fills its disk or is not archived,
/// commits that wait, two primaries.
Reasons JudgeOwnNode(const ReplicationFacts& facts, const ReplicationLimits& limits, const ReplicationStatus& status);

}  // namespace mfi::core
