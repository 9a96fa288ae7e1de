#pragma once

#include <string>
#include <vector>

#include "core/run_record.h"
#include "os/backup_directory.h"

namespace mfi::os {

/// A run together with what is left of it in the directory.
struct HistoryEntry {
  core::RunRecord run;
  bool alive = false;
  bool has_set = false;
  bool held = false;
  std::string hold_reason;
};

/// Every run of the directory, oldest first: records and sets are joined by id. A published set speaks for itself
/// where the record says nothing better (lost, or interrupted after the rename). A succeeded run without its set is
/// `missing`.
std::vector<HistoryEntry> ReadHistory(const BackupDirectory& directory);

/// Writes into the records of `node` how their interrupted runs ended. Returns the ids.
std::vector<std::string> CloseInterruptedRuns(const BackupDirectory& directory, const std::string& node,
                                              core::UtcSeconds now);

}  // namespace mfi::os
