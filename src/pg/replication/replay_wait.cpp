#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/compat.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xlogrecovery.h"
#include "utils/pg_lsn.h"
#include "utils/wait_event.h"

PG_FUNCTION_INFO_V1(mfi_wait_for_replay);
}

// Read-your-writes on a standby. Only the server is called here, nothing has a destructor, so that an interrupt may
// leave at any point.
namespace mfi::pg {
namespace {

/// A record that is further away than this is waited for by the clock: each record replayed on the way to it would
/// wake the condition's sleepers.
constexpr XLogRecPtr kNear = 256 * 1024;
/// No standby replays more in a millisecond.
constexpr XLogRecPtr kFastestPerMs = 1024 * 1024;
/// Promotion is noticed by then, and replay where nothing is broadcast (max_wal_senders = 0).
constexpr long kLookAgainMs = 100;

/// Between the end of a page and the first record of the next there is only a page header: a position in it, as
/// pg_current_wal_insert_lsn() may give, is reached with the end of the page.
XLogRecPtr WithoutPageHeader(XLogRecPtr lsn) {
  const XLogRecPtr in_page = lsn % XLOG_BLCKSZ;
  const XLogRecPtr page = lsn - in_page;
  const XLogRecPtr header =
      page % static_cast<XLogRecPtr>(wal_segment_size) == 0 ? SizeOfXLogLongPHD : SizeOfXLogShortPHD;
  return in_page <= header ? page : lsn;
}

/// Months count 30 days, as they do where PostgreSQL compares intervals.
double Microseconds(const Interval* interval) {
  const double days = static_cast<double>(interval->month) * DAYS_PER_MONTH + static_cast<double>(interval->day);
  return days * static_cast<double>(USECS_PER_DAY) + static_cast<double>(interval->time);
}

void RefuseBadCall(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                    errmsg("mfi_wait_for_replay needs %s", PG_ARGISNULL(0) ? "an lsn" : "a timeout"),
                    errhint("Pass what SELECT pg_current_wal_insert_lsn() gave on the primary after the commit, and "
                            "how long to wait, such as interval '5 s'.")));
  }
  if (Microseconds(PG_GETARG_INTERVAL_P(1)) < 0) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the timeout must not be negative")));
  }
  if (IsolationUsesXactSnapshot() && IsTransactionBlock()) {
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("mfi_wait_for_replay is of no use in a transaction that keeps its snapshot"),
                    errdetail("Isolation level %s does not see what is replayed while it waits.",
                              IsolationIsSerializable() ? "serializable" : "repeatable read"),
                    errhint("Call it before BEGIN.")));
  }
}

void SleepUntilReplayMayHaveCome(XLogRecPtr missing, double remaining_us) {
  const long remaining_ms = remaining_us >= 1000.0 * static_cast<double>(kLookAgainMs)
                                ? kLookAgainMs
                                : static_cast<long>(remaining_us / 1000.0) + 1;
  ConditionVariable* replayed = compat::ReplayedCondition();
  if (replayed != nullptr && missing <= kNear) {
    ConditionVariableTimedSleep(replayed, remaining_ms, PG_WAIT_EXTENSION);
    return;
  }
  if (replayed != nullptr) ConditionVariableCancelSleep();
  const long step_ms = static_cast<long>(Min(missing / kFastestPerMs, static_cast<XLogRecPtr>(kLookAgainMs))) + 1;
  WaitOnLatch(Min(step_ms, remaining_ms));
}

/// On a standby. Whoever was promoted meanwhile has replayed all it ever will.
bool WaitForReplay(XLogRecPtr lsn, double timeout_us) {
  const std::int64_t started = MonotonicMicros();
  bool reached = false;
  for (;;) {
    const bool promoted = !RecoveryInProgress();
    // Prepared before the look, so that a broadcast between look and sleep is not missed.
    ConditionVariable* replayed = compat::ReplayedCondition();
    XLogRecPtr at = GetXLogReplayRecPtr(nullptr);
    if (replayed != nullptr && at < lsn && lsn - at <= kNear) {
      ConditionVariablePrepareToSleep(replayed);
      at = GetXLogReplayRecPtr(nullptr);
    }
    reached = at >= lsn;
    const double remaining_us = timeout_us - static_cast<double>(MonotonicMicros() - started);
    if (reached || promoted || remaining_us <= 0) break;
    SleepUntilReplayMayHaveCome(lsn - at, remaining_us);
  }
  ConditionVariableCancelSleep();
  return reached;
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_wait_for_replay(PG_FUNCTION_ARGS) {
  using namespace mfi::pg;
  RefuseBadCall(fcinfo);
  const XLogRecPtr lsn = WithoutPageHeader(PG_GETARG_LSN(0));
  if (!RecoveryInProgress()) PG_RETURN_BOOL(lsn <= GetXLogInsertRecPtr());
  PG_RETURN_BOOL(WaitForReplay(lsn, Microseconds(PG_GETARG_INTERVAL_P(1))));
}
