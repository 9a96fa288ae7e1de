#pragma once

// The only place that knows differences between the major versions the code compiles against (15 to 17).
#include "pg/pg.h"

extern "C" {
#include "replication/slot.h"
#include "replication/walsender_private.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
}

namespace mfi::pg::compat {

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

/// Broadcast after each replayed record and at the end of recovery; null where the server has none (before 16).
inline ConditionVariable* ReplayedCondition() {
#if PG_VERSION_NUM >= 160000
  return &WalSndCtl->wal_replay_cv;
#else
  return nullptr;
#endif
}

}  // namespace mfi::pg::compat

// utils/guc_internal.h is not installed; the function is what pg_file_settings is made of, unchanged since 9.5.
extern "C" ConfigVariable* ProcessConfigFileInternal(GucContext context, bool applySettings, int elevel);
