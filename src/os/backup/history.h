#pragma once

#include <string>
#include <vector>

#include "core/backup/run_record.h"
#include "core/backup/set_copy.h"
#include "os/backup/backup_directory.h"

namespace mfi::os {

/// A run together with what is left of it in the directory.
struct HistoryEntry {
  core::RunRecord run;
  bool alive = false;
  bool has_set = false;
  bool held = false;
  std::string hold_reason;
  std::vector<core::SetCopy> copies;
};

/// Every run of the directory, oldest first: records and sets are joined by id. A published set speaks for itself
/// where the record says nothing better (lost, or interrupted after the rename). A succeeded run without its set is
/// `missing`. `whole`: whether all was read, which a budget limits (os/reading.h); kNotWhole says what it means.
std::vector<HistoryEntry> ReadHistory(const BackupDirectory& directory, bool* whole = nullptr);

inline constexpr char kNotWhole[] =
    "the backup directory holds more manifests or records than are read (256 MB of each), so the oldest are left out";
inline constexpr char kNotWholeHint[] =
    "Remove from the backup directory, and from .runs in it, what no backup has written, or retain fewer sets: "
    "mfi.backup_retain_days, mfi.backup_min_keep.";

/// Writes into the records of `node` how their interrupted runs ended. Returns the ids.
std::vector<std::string> CloseInterruptedRuns(const BackupDirectory& directory, const std::string& node,
                                              core::UtcSeconds now);

}  // namespace mfi::os
