#pragma once

// The only place that knows differences between the major versions the code compiles against (15 to 17).
#include <array>
#include <cstdint>

#include "pg/server/pg.h"

extern "C" {
#include "access/transam.h"
#include "pgstat.h"
#include "replication/message.h"
#include "replication/slot.h"
#include "replication/walsender_private.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
}

// Of utils/pgstat_internal.h, whose inline functions C++20 deprecates.
extern "C" void* pgstat_fetch_entry(PgStat_Kind kind, Oid dboid, Oid objoid);

namespace mfi::pg::compat {

/// What is counted of a table of any database, as far as this process has not read it since pgstat_clear_snapshot();
/// null: nothing.
inline const PgStat_StatTabEntry* TableStatistics(Oid database, Oid table) {
  return static_cast<const PgStat_StatTabEntry*>(pgstat_fetch_entry(PGSTAT_KIND_RELATION, database, table));
}

inline const PgBackendStatus* BackendByIndex(int index) {
#if PG_VERSION_NUM >= 160000
  const LocalPgBackendStatus* local = pgstat_get_local_beentry_by_index(index);
#else
  const LocalPgBackendStatus* local = pgstat_fetch_stat_local_beentry(index);
#endif
  return local == nullptr ? nullptr : &local->backendStatus;
}

inline bool SlotInvalidated(const ReplicationSlot& slot) {
#if PG_VERSION_NUM >= 160000
  return slot.data.invalidated != RS_INVAL_NONE;
#else
  return !XLogRecPtrIsInvalid(slot.data.invalidated_at);
#endif
}

/// Before 16 a walsender did not say what it sends; its slot does.
inline bool SendsLogical(const WalSnd& sender) {
#if PG_VERSION_NUM >= 160000
  return sender.kind == REPLICATION_KIND_LOGICAL;
#else
  return false;
#endif
}

/// Cancelled queries in the order of core::kConflictKinds.
inline std::array<std::int64_t, 5> RecoveryConflicts(const PgStat_StatDBEntry& entry) {
#if PG_VERSION_NUM >= 160000
  return {entry.conflict_tablespace, entry.conflict_lock, entry.conflict_snapshot, entry.conflict_bufferpin,
          entry.conflict_startup_deadlock};
#else
  return {entry.n_conflict_tablespace, entry.n_conflict_lock, entry.n_conflict_snapshot, entry.n_conflict_bufferpin,
          entry.n_conflict_startup_deadlock};
#endif
}

/// The oldest transaction id that is not frozen yet, of all databases.
inline TransactionId OldestXid() {
#if PG_VERSION_NUM >= 170000
  return TransamVariables->oldestXid;
#else
  return ShmemVariableCache->oldestXid;
#endif
}

/// An interval without end; before 17 the longest there is.
inline ::Interval EndlessInterval() {
  ::Interval interval{};
#if PG_VERSION_NUM >= 170000
  INTERVAL_NOEND(&interval);
#else
  interval.month = PG_INT32_MAX;
#endif
  return interval;
}

/// Broadcast after each replayed record and at the end of recovery; null where the server has none (before 16).
inline ConditionVariable* ReplayedCondition() {
#if PG_VERSION_NUM >= 160000
  return &WalSndCtl->wal_replay_cv;
#else
  return nullptr;
#endif
}

/// A transactional message in WAL.
inline void WriteMessage(const char* prefix, const char* text, std::size_t size) {
#if PG_VERSION_NUM >= 170000
  LogLogicalMessage(prefix, text, size, true, false);
#else
  LogLogicalMessage(prefix, text, size, true);
#endif
}

inline config_generic** AllSettings(int* count) {
#if PG_VERSION_NUM >= 160000
  return get_guc_variables(count);
#else
  *count = GetNumConfigOptions();
  return get_guc_variables();
#endif
}

}  // namespace mfi::pg::compat

// utils/guc_internal.h is not installed; the function is what pg_file_settings is made of, unchanged since 9.5.
extern "C" ConfigVariable* ProcessConfigFileInternal(GucContext context, bool applySettings, int elevel);
