#pragma once

#include "pg/server/pg.h"

extern "C" {
#include "utils/snapshot.h"
}

namespace mfi::pg {

/// The snapshot that another server had: `xmin:xmax:xip,...`, and the subtransactions of the transactions in it. It is
/// palloc'd. Plain frame: raises an ERROR for a text that is none.
Snapshot SnapshotOf(const char* text, const char* subtransactions);

}  // namespace mfi::pg
