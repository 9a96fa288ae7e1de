#include "os/process/shared_memory.h"

#include <signal.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cerrno>

namespace mfi::os {

void RemoveAbandonedSharedMemory(std::time_t since) {
  shm_info info{};
  const int last = shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&info));  // the interface's own cast
  for (int index = 0; index <= last; ++index) {
    shmid_ds segment{};
    const int id = shmctl(index, SHM_STAT, &segment);
    if (id < 0 || segment.shm_perm.cuid != geteuid() || segment.shm_nattch != 0 || segment.shm_ctime < since) continue;
    // A server that starts just now is alive, though it has not attached its segment yet.
    if (kill(segment.shm_cpid, 0) != 0 && errno == ESRCH) shmctl(id, IPC_RMID, nullptr);
  }
}

}  // namespace mfi::os
