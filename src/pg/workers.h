#pragma once

#include "pg/pg.h"

namespace mfi::pg {

/// Registers the launcher; called from _PG_init while preloading.
void RegisterLauncher();

}  // namespace mfi::pg

extern "C" PGDLLEXPORT void mfi_launcher_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_runner_main(Datum argument);
