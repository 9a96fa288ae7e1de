#pragma once

#include "core/backup/backup_health.h"
#include "os/backup/history.h"

namespace mfi::pg {

/// What core needs to judge backups: read from the directory and from shared memory, now.
core::BackupFacts GatherBackupFacts();

/// The published sets of mfi.database in this history, as core sees them.
std::vector<core::SetFacts> SetsOf(const std::vector<os::HistoryEntry>& history);

/// The directory's history; empty when backups are off or the directory cannot be read. `whole` as of os::ReadHistory.
std::vector<os::HistoryEntry> ReadConfiguredHistory(bool* whole = nullptr);

}  // namespace mfi::pg
