#include "pg/server/workers.h"

#include "pg/server/bridge.h"
#include "pg/server/worker_session.h"

extern "C" {
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
}

namespace mfi::pg {

namespace {

constexpr int kRestartSeconds = 5;

BackgroundWorker Described(const char* type, const char* function) {
  BackgroundWorker worker{};
  strlcpy(worker.bgw_name, type, BGW_MAXLEN);
  strlcpy(worker.bgw_type, type, BGW_MAXLEN);
  strlcpy(worker.bgw_library_name, "mfi", MAXPGPATH);
  strlcpy(worker.bgw_function_name, function, BGW_MAXLEN);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
  worker.bgw_start_time = BgWorkerStart_ConsistentState;
  return worker;
}

}  // namespace

void RegisterStaticWorker(const char* type, const char* function) {
  BackgroundWorker worker = Described(type, function);
  worker.bgw_flags |= BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_restart_time = kRestartSeconds;
  RegisterBackgroundWorker(&worker);
}

BackgroundWorkerHandle* StartWorker(const char* type, const char* function, WorkerKind kind) {
  BackgroundWorker worker = Described(type, function);
  if (kind == WorkerKind::kWithDatabase) worker.bgw_flags |= BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  worker.bgw_notify_pid = MyProcPid;
  BackgroundWorkerHandle* handle = nullptr;
  MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
  const bool registered = RegisterDynamicBackgroundWorker(&worker, &handle);
  MemoryContextSwitchTo(before);
  return registered ? handle : nullptr;
}

void TakeSignals() {
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  BackgroundWorkerUnblockSignals();
  // The server lets a new worker ignore SIGHUP until here: what was reloaded since it was forked is read now.
  ConfigReloadPending = true;
}

void WorkInRounds(void (*announce)(), std::unique_ptr<Rounds> (*make)()) {
  TakeSignals();
  BeginWorkerSession(nullptr);
  announce();

  Rounds* rounds = Guard([&] {
    Rounds* made = make().release();
    made->Start();
    return made;
  });
  MemoryContext round = AllocSetContextCreate(TopMemoryContext, "mfi round", ALLOCSET_DEFAULT_SIZES);
  while (!ShutdownRequestPending) {
    MemoryContextSwitchTo(round);
    MemoryContextReset(round);
    if (ConfigReloadPending) {
      ConfigReloadPending = false;
      ProcessConfigFile(PGC_SIGHUP);
      Guard([&] { rounds->Reload(); });
    }
    const long wait_ms = Guard([&] { return rounds->Round(); });
    WaitOnLatch(wait_ms);
  }
  proc_exit(1);
}

void WaitOnLatch(long limit_ms, int fd, bool for_write) {
  const int socket_event = fd < 0 ? 0 : (for_write ? WL_SOCKET_WRITEABLE : WL_SOCKET_READABLE);
  WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH | socket_event,
                    fd < 0 ? PGINVALID_SOCKET : fd, limit_ms, PG_WAIT_EXTENSION);
  ResetLatch(MyLatch);
  CHECK_FOR_INTERRUPTS();
}

}  // namespace mfi::pg
