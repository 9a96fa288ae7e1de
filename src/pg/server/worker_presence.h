#pragma once

// Which of the two workers that are always there are there now. In a process without shared memory, none is.
namespace mfi::pg {

/// Asks for the shared memory of this module; called from _PG_init while preloading.
void InitWorkerPresence();

/// Called by the launcher: it is there, it begins a round or has ended one, it goes.
void LauncherBegins();
void LauncherComesRound();
void LauncherGoes();

/// Called by the watcher.
void WatcherBegins();
void WatcherGoes();

bool LauncherAlive();
bool WatcherAlive();

/// Seconds since the launcher last came round, when that is longer than it ever takes; 0: it does. It waits for a file
/// system that does not answer, or does not run.
double LauncherStalledFor();

/// Wakes the launcher; nothing happens when it is not there.
void WakeLauncher();

}  // namespace mfi::pg
