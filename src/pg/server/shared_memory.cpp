#include "pg/server/shared_memory.h"

extern "C" {
#include "storage/ipc.h"
#include "storage/shmem.h"
}

namespace mfi::pg {
namespace {

constexpr char kTranche[] = "mfi";
constexpr int kMaxParts = 16;

SharedBlock* parts[kMaxParts];
int part_count = 0;
bool found_all = false;
shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;

extern "C" void RequestMemory() {
  if (previous_request_hook != nullptr) previous_request_hook();
  for (int i = 0; i < part_count; ++i) RequestAddinShmemSpace(MAXALIGN(parts[i]->size()));
  RequestNamedLWLockTranche(kTranche, part_count);
}

extern "C" void FindMemory() {
  if (previous_startup_hook != nullptr) previous_startup_hook();
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  LWLockPadded* locks = GetNamedLWLockTranche(kTranche);
  for (int i = 0; i < part_count; ++i) parts[i]->Find(&locks[i].lock);
  LWLockRelease(AddinShmemInitLock);
  found_all = true;
}

}  // namespace

void SharedBlock::Share() {
  if (part_count == kMaxParts) elog(ERROR, "mfi shares more than %d parts of memory", kMaxParts);
  parts[part_count++] = this;
}

void SharedBlock::Find(LWLock* lock) {
  bool found = false;
  memory_ = ShmemInitStruct(name_, size_, &found);
  lock_ = lock;
  if (!found) make_(memory_);
}

bool IsPreloaded() { return found_all; }

void RequirePreloaded() {
  if (found_all) return;
  ereport(ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the mfi library is not loaded at server start"),
           errhint("Set shared_preload_libraries = 'mfi' in postgresql.conf and restart the server.")));
}

void InitSharedMemory() {
  previous_request_hook = shmem_request_hook;
  shmem_request_hook = RequestMemory;
  previous_startup_hook = shmem_startup_hook;
  shmem_startup_hook = FindMemory;
}

}  // namespace mfi::pg
