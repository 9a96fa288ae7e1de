#include "pg/schema/foreign_key_check.h"
#include "pg/server/settings.h"
#include "pg/server/shared_state.h"
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
  mfi::pg::InitSharedState();
  mfi::pg::RegisterLauncher();
  mfi::pg::RegisterWatcher();
}
