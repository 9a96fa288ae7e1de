#include <string>

#include "pg/schema/maintenance_memory.h"
#include "pg/server/bridge.h"
#include "pg/server/settings.h"
#include "pg/server/worker_session.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xact.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"
}

// The maintainer: a short worker in mfi.database that calls the extension's own SQL. Any error ends it, and is in the
// server's log and in the verdict.
namespace mfi::pg {
namespace {

// The extension's version there may be older than this library, or it may not be there at all.
constexpr char kFindCall[] =
    "SELECT pg_catalog.format('SELECT %%s()', p.oid::pg_catalog.regproc) "
    "FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_proc p ON p.pronamespace = e.extnamespace "
    "JOIN pg_catalog.pg_depend d ON d.refobjid = e.oid AND d.objid = p.oid AND d.deptype = 'e' "
    "WHERE e.extname = 'mfi' AND p.proname = '%s' AND p.pronargs = 0";

/// The first column of the first row, or null.
char* FirstValue(const char* sql) {
  if (SPI_execute(sql, false, 1) != SPI_OK_SELECT) elog(ERROR, "unexpected result of: %s", sql);
  return SPI_processed == 0 ? nullptr : SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/// Plain frame: everything here may raise. One of the extension's functions in a transaction of its own; what it
/// returns, false when it is not there.
bool Call(const char* function, const char* activity) {
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  SPI_connect();
  PushActiveSnapshot(GetTransactionSnapshot());
  pgstat_report_activity(STATE_RUNNING, activity);
  const char* call = FirstValue(psprintf(kFindCall, function));
  const char* answer = call == nullptr ? nullptr : FirstValue(call);
  const bool result = answer != nullptr && answer[0] == 't';
  SPI_finish();
  PopActiveSnapshot();
  CommitTransactionCommand();
  pgstat_report_activity(STATE_IDLE, nullptr);
  return result;
}

/// True when all that is to be done was done.
bool Maintain() {
  if (!Call("_mfi_can_maintain", "keeping audit partitions ahead")) return false;
  while (Call("_mfi_maintain_step", "keeping audit partitions ahead")) CHECK_FOR_INTERRUPTS();
  while (Call("_mfi_watch_audit", "counting audit rows")) CHECK_FOR_INTERRUPTS();
  return Call("_mfi_is_maintained", "keeping audit partitions ahead");
}

bool IsLock(const PgError& error) { return error.sqlstate() == "55P03" || error.sqlstate() == "40P01"; }

void MaintainAndReport() {
  try {
    ReportMaintenance(CallPg(Maintain), false, {});
  } catch (const PgError& error) {
    CallPg(AbortCurrentTransaction);
    ReportMaintenance(false, IsLock(error),
                      error.hint().empty() ? error.what() : std::string(error.what()) + " (" + error.hint() + ")");
    throw;
  }
}

}  // namespace
}  // namespace mfi::pg

extern "C" void mfi_maintainer_main(Datum) {
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  mfi::pg::BeginWorkerSession(mfi::pg::settings::database);
  mfi::pg::Guard(mfi::pg::MaintainAndReport);
  proc_exit(0);
}
