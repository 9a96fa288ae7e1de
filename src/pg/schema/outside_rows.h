#pragma once

#include <optional>

#include "core/node/maintenance_pace.h"
#include "pg/server/pg.h"

namespace mfi::pg {

/// What the server's statistics say of the default partitions that the last maintainer reported; nothing when it
/// reported none. They are read from shared memory by a process without a database, and take no lock on any table: who
/// writes rows neither waits nor does more. A session's rows are in them within seconds of its commit.
std::optional<core::RowsOutside> CountRowsOutside();

}  // namespace mfi::pg
