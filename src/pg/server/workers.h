#pragma once

#include <memory>

#include "pg/server/pg.h"

struct BackgroundWorkerHandle;

namespace mfi::pg {

/// Registers the launcher, and the watcher; called from _PG_init while preloading.
void RegisterLauncher();
void RegisterWatcher();

/// A worker that is there on every node from the first consistent moment on, in no database, and again after it ended.
void RegisterStaticWorker(const char* type, const char* function);

enum class WorkerKind { kWithDatabase, kWithoutDatabase };

/// Starts a worker that works once and tells this process when it begins and ends. The handle is palloc'd for the life
/// of the process; null when no worker is free.
BackgroundWorkerHandle* StartWorker(const char* type, const char* function, WorkerKind kind);

/// The work of a worker that goes on for as long as its server.
class Rounds {
 public:
  virtual ~Rounds() = default;

  virtual void Start() = 0;

  /// Called after a reload of the configuration.
  virtual void Reload() {}

  /// One round; returns the milliseconds until the next one.
  virtual long Round() = 0;
};

/// The main of such a worker, in no database: `announce` says in the shared state that it is there, then come rounds
/// until it is asked to end. What `make` gives lives as long as the process.
[[noreturn]] void WorkInRounds(void (*announce)(), std::unique_ptr<Rounds> (*make)());

/// Has a reload of the configuration and the wish to end noted, for whoever works in rounds.
void TakeSignals();

/// Waits, no longer than so many milliseconds, until this process's latch is set or the descriptor, if there is one
/// (not negative), is ready. Raises an ERROR when the process is asked to end: C++ calls it through CallPg.
void WaitOnLatch(long limit_ms, int fd = -1, bool for_write = false);

}  // namespace mfi::pg

extern "C" PGDLLEXPORT void mfi_launcher_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_watcher_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_runner_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_maintainer_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_probe_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_receiver_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_recovery_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_copier_main(Datum argument);
extern "C" PGDLLEXPORT void mfi_offsite_drill_main(Datum argument);
