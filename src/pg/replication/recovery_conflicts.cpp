#include "pg/replication/recovery_conflicts.h"

#include "pg/server/bridge.h"
#include "pg/server/compat.h"
#include "pg/server/database_exists.h"

extern "C" {
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace mfi::pg {
namespace {

void AddConflicts(const FormData_pg_database& row, void* argument) {
  const PgStat_StatDBEntry* counted = pgstat_fetch_stat_dbentry(row.oid);
  if (counted == nullptr) return;
  core::Conflicts& sum = *static_cast<core::Conflicts*>(argument);
  const core::Conflicts here = compat::RecoveryConflicts(*counted);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += here[i];
}

}  // namespace

core::Conflicts CountRecoveryConflicts() {
  return CallPg([] {
    core::Conflicts sum{};
    StartTransactionCommand();
    (void)GetTransactionSnapshot();
    VisitDatabases(AddConflicts, &sum);
    CommitTransactionCommand();
    return sum;
  });
}

}  // namespace mfi::pg
