#pragma once

#include "core/replication/replication_history.h"

namespace mfi::pg {

/// Queries this standby has cancelled, by kind, in all databases, since its statistics began. For a worker attached to
/// no database, in a transaction of its own.
core::Conflicts CountRecoveryConflicts();

}  // namespace mfi::pg
