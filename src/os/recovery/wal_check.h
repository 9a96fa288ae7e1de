#pragma once

#include <string>

#include "core/recovery/base_record.h"
#include "core/recovery/history.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_job.h"

namespace mfi::os {

/// Reads the WAL that `base` needs before it can be used, as it lies in `wal_directory` for a server of `history`:
/// where it is damaged, such a server takes no sessions, and waits. Throws Error(XX001) that names the position.
/// `work_directory` is made, and removed.
void CheckWalOfBase(const RecoveryJob& job, const core::BaseRecord& base, const core::History& history,
                    const std::string& wal_directory, const std::string& work_directory, Waiter& waiter);

}  // namespace mfi::os
