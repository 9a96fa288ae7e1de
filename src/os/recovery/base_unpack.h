#pragma once

#include <string>

#include "core/recovery/base_record.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_job.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

/// Unpacks the base that lies in `base_directory` into `directory`, as UnpackBase does.
void UnpackFrom(const std::string& base_directory, const core::BaseRecord& base, const std::string& directory,
                int niceness, Waiter& waiter);

/// Unpacks a published base into `directory`, which exists, and has pg_verifybackup read it, without its WAL. Throws
/// Error(XX001) when what the store holds is not what was backed up.
void UnpackVerified(const RecoveryJob& job, const RecoveryStore& store, const core::BaseRecord& base,
                    const std::string& directory, Waiter& waiter);

/// Unpacks it into a directory of its own below the scratch directory and has pg_verifybackup read it, without its WAL.
/// Throws Error when it finds anything, or there is no room.
void VerifyBase(const RecoveryJob& job, const std::string& base_directory, const core::BaseRecord& base,
                Waiter& waiter);

/// Throws Error(53100) unless `bytes` and a tenth of them fit into the file system of `directory`. `what` is what would
/// need them.
void CheckRoomFor(const std::string& directory, std::int64_t bytes, const std::string& what);

}  // namespace mfi::os
