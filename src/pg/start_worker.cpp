#include "pg/workers.h"

extern "C" {
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/memutils.h"
}

namespace mfi::pg {

BackgroundWorkerHandle* StartWorker(const char* type, const char* function) {
  BackgroundWorker worker{};
  strlcpy(worker.bgw_name, type, BGW_MAXLEN);
  strlcpy(worker.bgw_type, type, BGW_MAXLEN);
  strlcpy(worker.bgw_library_name, "mfi", MAXPGPATH);
  strlcpy(worker.bgw_function_name, function, BGW_MAXLEN);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_ConsistentState;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  worker.bgw_notify_pid = MyProcPid;
  BackgroundWorkerHandle* handle = nullptr;
  MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
  const bool registered = RegisterDynamicBackgroundWorker(&worker, &handle);
  MemoryContextSwitchTo(before);
  return registered ? handle : nullptr;
}

}  // namespace mfi::pg
