#include "pg/schema/outside_rows.h"

#include "pg/schema/maintenance_memory.h"
#include "pg/server/bridge.h"
#include "pg/server/compat.h"

namespace mfi::pg {
namespace {

/// Plain frame.
core::RowsOutside Count(const DefaultPartitions& partitions) {
  core::RowsOutside rows;
  pgstat_clear_snapshot();
  for (int i = 0; i < partitions.count; ++i) {
    const PgStat_StatTabEntry* table = compat::TableStatistics(partitions.database, partitions.relations[i]);
    if (table == nullptr) continue;
    rows.came += table->tuples_inserted;
    rows.left += table->tuples_deleted;
  }
  pgstat_clear_snapshot();
  return rows;
}

}  // namespace

std::optional<core::RowsOutside> CountRowsOutside() {
  const DefaultPartitions partitions = LastDefaultPartitions();
  if (partitions.count == 0) return std::nullopt;
  return CallPg([&] { return Count(partitions); });
}

}  // namespace mfi::pg
