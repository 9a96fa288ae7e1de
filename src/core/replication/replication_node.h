#pragma once

#include "core/replication/replication.h"

namespace mfi::core {

/// What to do where nobody watches.
inline constexpr char kLibraryStep[] =
    "Set shared_preload_libraries = 'mfi' and restart, so that this node is watched.";

/// What to do where the watcher does not look, and how it is said.
inline constexpr char kWatcherStep[] =
    "See whether the process \"mfi watcher\" runs (T: it is stopped, D: it waits for a disk), and read the server's "
    "log.";
std::string NotLooked(double seconds);

/// Reasons that belong to this node and not to one peer of `status`: WAL that fills its disk or is not archived,
/// commits that wait, two primaries.
Reasons JudgeOwnNode(const ReplicationFacts& facts, const ReplicationLimits& limits, const ReplicationStatus& status);

}  // namespace mfi::core
