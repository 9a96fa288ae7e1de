#include "pg/server/shared_state.h"

#include <ctime>

#include "pg/replication/history_ring.h"
#include "pg/server/settings.h"

extern "C" {
#include "storage/ipc.h"
#include "storage/shmem.h"
}

namespace mfi::pg {
namespace {

SharedState* state = nullptr;
shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;

constexpr char kName[] = "mfi";

extern "C" void RequestMemory() {
  if (previous_request_hook != nullptr) previous_request_hook();
  RequestAddinShmemSpace(MAXALIGN(sizeof(SharedState)));
  RequestHistoryMemory();
  RequestNamedLWLockTranche(kName, 2);
}

extern "C" void FindMemory() {
  if (previous_startup_hook != nullptr) previous_startup_hook();
  bool found = false;
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  state = static_cast<SharedState*>(ShmemInitStruct(kName, sizeof(SharedState), &found));
  if (!found) {
    memset(static_cast<void*>(state), 0, sizeof(SharedState));
    state->lock = &GetNamedLWLockTranche(kName)->lock;
    ConditionVariableInit(&state->run_changed);
  }
  FindHistoryMemory(&GetNamedLWLockTranche(kName)[1].lock);
  LWLockRelease(AddinShmemInitLock);
}

}  // namespace

SharedState* Shared() { return state; }

SharedState& RequireShared() {
  if (state == nullptr) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the mfi library is not loaded at server start"),
             errhint("Set shared_preload_libraries = 'mfi' in postgresql.conf and restart the server.")));
  }
  return *state;
}

void InitSharedState() {
  previous_request_hook = shmem_request_hook;
  shmem_request_hook = RequestMemory;
  previous_startup_hook = shmem_startup_hook;
  shmem_startup_hook = FindMemory;
}

bool LauncherAlive() {
  if (state == nullptr) return false;
  LWLockAcquire(state->lock, LW_SHARED);
  const bool alive = state->launcher_pid != 0;
  LWLockRelease(state->lock);
  return alive;
}

double LauncherStalledFor() {
  constexpr double kRounds = 6;
  constexpr double kLeast = 5;
  if (state == nullptr) return 0;
  LWLockAcquire(state->lock, LW_SHARED);
  const std::int64_t round_us = state->launcher_pid == 0 ? 0 : state->launcher_round_us;
  LWLockRelease(state->lock);
  if (round_us == 0) return 0;
  const double elapsed_s = static_cast<double>(MonotonicMicros() - round_us) / 1e6;
  return elapsed_s < Max(kLeast, kRounds * settings::sample_interval_ms / 1000) ? 0 : elapsed_s;
}

bool WatcherAlive() {
  if (state == nullptr) return false;
  LWLockAcquire(state->lock, LW_SHARED);
  const bool alive = state->watcher_pid != 0;
  LWLockRelease(state->lock);
  return alive;
}

void WakeLauncher() {
  if (state == nullptr) return;
  LWLockAcquire(state->lock, LW_SHARED);
  if (state->launcher_pid != 0) SetLatch(state->launcher_latch);
  LWLockRelease(state->lock);
}

std::int64_t MonotonicMicros() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000000 + now.tv_nsec / 1000;
}

}  // namespace mfi::pg
