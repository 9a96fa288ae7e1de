#include "pg/bridge.h"
#include "pg/settings.h"
#include "pg/shared_state.h"
#include "pg/workers.h"

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
// server's log.
namespace mfi::pg {
namespace {

// The extension's version there may be older than this library, or it may not be there at all.
constexpr char kFindCall[] =
    "SELECT pg_catalog.format('SELECT %s()', p.oid::pg_catalog.regproc) "
    "FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_proc p ON p.pronamespace = e.extnamespace "
    "JOIN pg_catalog.pg_depend d ON d.refobjid = e.oid AND d.objid = p.oid AND d.deptype = 'e' "
    "WHERE e.extname = 'mfi' AND p.proname = '_mfi_maintain' AND p.pronargs = 0";

/// The first column of the first row, or null.
char* FirstValue(const char* sql) {
  if (SPI_execute(sql, false, 1) != SPI_OK_SELECT) elog(ERROR, "unexpected result of: %s", sql);
  return SPI_processed == 0 ? nullptr : SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/// Plain frame: everything here may raise. True when all that is to be done was done.
bool Maintain() {
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  SPI_connect();
  PushActiveSnapshot(GetTransactionSnapshot());
  pgstat_report_activity(STATE_RUNNING, "keeping audit partitions ahead");
  const char* call = FirstValue(kFindCall);
  const char* done = call == nullptr ? nullptr : FirstValue(call);
  const bool result = done != nullptr && done[0] == 't';
  SPI_finish();
  PopActiveSnapshot();
  CommitTransactionCommand();
  return result;
}

}  // namespace
}  // namespace mfi::pg

extern "C" void mfi_maintainer_main(Datum) {
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  BackgroundWorkerInitializeConnection(mfi::pg::settings::database, nullptr, 0);
  const bool done = mfi::pg::Maintain();
  {
    const mfi::pg::StateLock lock(LW_EXCLUSIVE);
    mfi::pg::Shared()->maintained = done;
  }
  proc_exit(0);
}
