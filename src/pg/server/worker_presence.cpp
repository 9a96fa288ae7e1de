#include "pg/server/worker_presence.h"

#include <cstdint>

#include "pg/server/clock.h"
#include "pg/server/settings.h"
#include "pg/server/shared_memory.h"

extern "C" {
#include "storage/latch.h"
}

namespace mfi::pg {
namespace {

struct Presence {
  pid_t launcher_pid;  // 0: it is not there
  Latch* launcher_latch;
  std::int64_t launcher_round_us;  // monotonic: when it began what it is at, or waits after
  pid_t watcher_pid;
};

constinit SharedPart<Presence> presence("mfi workers");

}  // namespace

void InitWorkerPresence() { presence.Share(); }

void LauncherBegins() {
  const auto p = presence.Write();
  p->launcher_pid = MyProcPid;
  p->launcher_latch = MyLatch;
  p->launcher_round_us = MonotonicMicros();
}

void LauncherComesRound() { presence.Write()->launcher_round_us = MonotonicMicros(); }

void LauncherGoes() {
  const auto p = presence.Write();
  p->launcher_pid = 0;
  p->launcher_latch = nullptr;
}

void WatcherBegins() { presence.Write()->watcher_pid = MyProcPid; }

void WatcherGoes() { presence.Write()->watcher_pid = 0; }

bool LauncherAlive() { return presence.IsThere() && presence.Read()->launcher_pid != 0; }

bool WatcherAlive() { return presence.IsThere() && presence.Read()->watcher_pid != 0; }

double LauncherStalledFor() {
  constexpr double kRounds = 6;
  constexpr double kLeast = 5;
  if (!presence.IsThere()) return 0;
  std::int64_t round_us = 0;
  {
    const auto p = presence.Read();
    if (p->launcher_pid != 0) round_us = p->launcher_round_us;
  }
  if (round_us == 0) return 0;
  const double elapsed_s = static_cast<double>(MonotonicMicros() - round_us) / 1e6;
  return elapsed_s < Max(kLeast, kRounds * settings::sample_interval_ms / 1000) ? 0 : elapsed_s;
}

void WakeLauncher() {
  if (!presence.IsThere()) return;
  const auto p = presence.Read();
  if (p->launcher_pid != 0) SetLatch(p->launcher_latch);
}

}  // namespace mfi::pg
