#include <array>
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
#include "utils/guc.h"
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

/// Plain frame: everything here may raise. One of the extension's functions in a transaction of its own; `answer` gets
/// the text of what it returns, nothing when it is not there.
void Ask(const char* function, const char* activity, char* answer, std::size_t size) {
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  SPI_connect();
  PushActiveSnapshot(GetTransactionSnapshot());
  pgstat_report_activity(STATE_RUNNING, activity);
  const char* call = FirstValue(psprintf(kFindCall, function));
  const char* value = call == nullptr ? nullptr : FirstValue(call);
  strlcpy(answer, value == nullptr ? "" : value, size);
  SPI_finish();
  PopActiveSnapshot();
  CommitTransactionCommand();
  pgstat_report_activity(STATE_IDLE, nullptr);
}

bool Call(const char* function, const char* activity) {
  char answer[8];
  Ask(function, activity, answer, sizeof(answer));
  return answer[0] == 't';
}

/// Tells the watcher which partitions it has to keep an eye on; none before version 1.2 of the extension.
void TellDefaultPartitions() {
  DefaultPartitions partitions{};
  partitions.database = MyDatabaseId;
  char oids[128];
  Ask("_mfi_default_partitions", "keeping audit partitions ahead", oids, sizeof(oids));
  char* rest = oids;
  while (*rest != '\0' && partitions.count < static_cast<int>(lengthof(partitions.relations))) {
    partitions.relations[partitions.count++] = static_cast<Oid>(strtoul(rest, &rest, 10));
  }
  ReportDefaultPartitions(partitions);
}

core::MaintenanceEnd Maintain() {
  if (!Call("_mfi_can_maintain", "keeping audit partitions ahead")) return core::MaintenanceEnd::kNotReady;
  while (Call("_mfi_maintain_step", "keeping audit partitions ahead")) CHECK_FOR_INTERRUPTS();
  while (Call("_mfi_watch_audit", "counting audit rows")) CHECK_FOR_INTERRUPTS();
  TellDefaultPartitions();
  return Call("_mfi_is_maintained", "keeping audit partitions ahead") ? core::MaintenanceEnd::kDone
                                                                      : core::MaintenanceEnd::kHindered;
}

bool IsLock(const PgError& error) { return error.sqlstate() == "55P03" || error.sqlstate() == "40P01"; }

/// Who holds what the last transaction may have waited for, as far as it can be seen now; empty: that is not known.
std::string WhoLocks() {
  std::array<char, 512> answer{};
  try {
    CallPg([&] { Ask("_mfi_who_locks", "asking who holds locks", answer.data(), answer.size()); });
  } catch (const PgError&) {
    CallPg(AbortCurrentTransaction);
    return {};
  }
  return answer.data();
}

void MaintainAndReport() {
  try {
    ReportMaintenance(CallPg(Maintain), false, {});
  } catch (const PgError& error) {
    CallPg(AbortCurrentTransaction);
    std::string why = error.hint().empty() ? error.what() : std::string(error.what()) + " (" + error.hint() + ")";
    if (IsLock(error)) {
      const std::string holders = WhoLocks();
      if (!holders.empty()) why += ": " + holders;
    }
    ReportMaintenance(core::MaintenanceEnd::kHindered, IsLock(error), why);
    throw;
  }
}

}  // namespace
}  // namespace mfi::pg

extern "C" void mfi_maintainer_main(Datum) {
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  mfi::pg::BeginWorkerSession(mfi::pg::settings::database);
  // What is locked by others is told, not waited for. The extension's functions that lock tables wait less.
  SetConfigOption("lock_timeout", "2s", PGC_SUSET, PGC_S_OVERRIDE);
  mfi::pg::Guard(mfi::pg::MaintainAndReport);
  proc_exit(0);
}
