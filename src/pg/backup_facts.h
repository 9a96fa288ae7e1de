#pragma once

#include "core/backup_health.h"
#include "os/history.h"

namespace mfi::pg {

/// What core needs to judge backups: read from the directory and from shared memory, now.
core::BackupFacts GatherBackupFacts();

/// The published sets of mfi.database in this history, as core sees them.
std::vector<core::SetFacts> SetsOf(const std::vector<os::HistoryEntry>& history);

/// The directory's history; empty when backups are off or the directory cannot be read.
std::vector<os::HistoryEntry> ReadConfiguredHistory();

}  // namespace mfi::pg
