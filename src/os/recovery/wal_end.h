#pragma once

#include <string>

#include "core/recovery/history.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_job.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

/// Where the newest WAL of the history ends.
struct WalReach {
  core::Lsn to = 0;           // no WAL of the history lies behind
  core::Lsn last_record = 0;  // where the last whole record begins; 0: there is none
};

/// The history of the newest timeline of which the store has WAL. Throws Error(kUndefinedFile) when there is none.
core::History NewestHistory(const RecoveryStore& store, std::int64_t segment_bytes);

/// Reads the last segments by pg_waldump, in `work_directory`, which exists.
WalReach FindWalReach(const RecoveryJob& job, const RecoveryStore& store, const core::History& history,
                      std::int64_t segment_bytes, const std::string& work_directory, Waiter& waiter);

}  // namespace mfi::os
