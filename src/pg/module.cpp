#include "pg/backup/backup_notices.h"
#include "pg/backup/run_board.h"
#include "pg/offsite/offsite_board.h"
#include "pg/recovery/recovery_board.h"
#include "pg/replication/history_ring.h"
#include "pg/replication/probe_memory.h"
#include "pg/replication/watch_memory.h"
#include "pg/schema/foreign_key_check.h"
#include "pg/schema/maintenance_memory.h"
#include "pg/server/invalid_settings.h"
#include "pg/server/settings.h"
#include "pg/server/shared_memory.h"
#include "pg/server/worker_presence.h"
#include "pg/server/workers.h"

extern "C" {
PG_MODULE_MAGIC;
}

extern "C" void _PG_init(void) {
  const bool preloading = process_shared_preload_libraries_in_progress;
  mfi::pg::settings::Define(preloading);
  mfi::pg::CheckForeignKeysByRow();
  // pg_upgrade starts servers that must stay as they are; a single-user server has no workers.
  if (!preloading || IsBinaryUpgrade || !IsPostmasterEnvironment) return;
  mfi::pg::InitWorkerPresence();
  mfi::pg::InitInvalidSettings();
  mfi::pg::InitRunBoard();
  mfi::pg::InitBackupNotices();
  mfi::pg::InitWatchMemory();
  mfi::pg::InitProbeMemory();
  mfi::pg::InitHistoryRing();
  mfi::pg::InitMaintenanceMemory();
  mfi::pg::InitRecoveryBoard();
  mfi::pg::InitOffsiteBoard();
  mfi::pg::InitSharedMemory();
  mfi::pg::RegisterLauncher();
  mfi::pg::RegisterWatcher();
}
