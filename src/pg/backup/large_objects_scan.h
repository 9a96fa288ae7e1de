#pragma once

#include "pg/backup/row_hash.h"
#include "pg/server/pg.h"

extern "C" {
#include "utils/relcache.h"
#include "utils/snapshot.h"
}

namespace mfi::pg {

/// Adds each large object of the database as one row: its number, its bytes and its size. `pages` is pg_largeobject,
/// open. Plain frame.
void ScanLargeObjects(Relation pages, Snapshot snapshot, ContentsHash& contents);

}  // namespace mfi::pg
