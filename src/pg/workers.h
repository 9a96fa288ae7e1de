#pragma once

#include "pg/pg.h"

struct BackgroundWorkerHandle;

namespace mfi::pg {

/// Registers the launcher; called from _PG_init while preloading.
void RegisterLauncher();

/// Starts a worker that works once and tells this process when it begins and ends. The handle is palloc'd for the life
/// of the process; null when no worker is free.
BackgroundWorkerHandle* StartWorker(const char* type, const char* function);

}  // namespace mfi::pg

extern "C" PGDLLEXPORT void mfi_launcher_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_runner_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_maintainer_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_probe_main(Datum argument);
