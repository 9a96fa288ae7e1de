#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/recovery/base_record.h"
#include "os/backup/run_host.h"
#include "os/recovery/recovered_server.h"
#include "os/recovery/recovery_job.h"
#include "os/recovery/recovery_store.h"
#include "os/recovery/reference.h"
#include "os/recovery/wal_dump.h"

namespace mfi::os {

/// What a drill tells of itself: `phase` is counting, unpacking, replaying, comparing or promoting.
using DrillProgress = std::function<void(const std::string& phase, core::Lsn replayed)>;

/// The newest chain that ended before the position; empty: there is none.
std::vector<core::BaseRecord> ChainBefore(const RecoveryStore& store, core::Lsn position);

/// Compares job.database of a server that stands at the reference with it: "ok", or what differs.
std::string CompareRecovered(const RecoveryJob& job, RecoveredServer& server, const Reference& reference,
                             WalDump& dump);

/// What a recovery to the moment of a backup has shown.
struct BackupComparison {
  std::string backup;
  std::string words;   // what the backup is
  std::string base;    // the last of the chain that was recovered from
  std::string result;  // "ok", or what differs
};

/// Recovers from the store to the moment of the newest proven backup in job.backup_directory, and compares its
/// contents; nullopt when there is none within reach, or it is passed over.
std::optional<BackupComparison> CompareWithBackup(const RecoveryJob& job, const RecoveryStore& store, RunHost& host,
                                                  const DrillProgress& progress,
                                                  const std::function<bool(const std::string& backup)>& pass_over);

}  // namespace mfi::os
