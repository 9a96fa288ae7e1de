#pragma once

#include <string>
#include <vector>

#include "core/backup/run_record.h"
#include "os/base/file.h"
#include "os/base/reading.h"

namespace mfi::os {

/// The record file of one run, kept locked (flock) by the process that is responsible for the run. A record in a
/// state that is not final and without a lock is, by that fact alone, an interrupted run.
///
/// Each Save writes a new file, locks it and renames it into place: readers see the old or the new record, and each
/// of them locked. A process takes a run over from another by constructing its own LockedRecord and saving it before
/// the other one lets go.
class LockedRecord {
 public:
  LockedRecord(std::string runs_directory, core::RunRecord record);

  core::RunRecord& record() { return record_; }
  const core::RunRecord& record() const { return record_; }

  void Save();

 private:
  std::string directory_;
  core::RunRecord record_;
  UniqueFd lock_;
};

struct StoredRun {
  core::RunRecord record;
  bool alive = false;        // its process lives
  bool interrupted = false;  // it does not, and nobody has written that into the record yet
};

/// All records of a directory, oldest first. Files that are no records are passed over. A run that is not final and
/// not alive is returned as failed, with an error that says it was interrupted; the file is left as it is. When the
/// reading's budget is spent, the oldest names are left out.
std::vector<StoredRun> ReadRuns(const std::string& runs_directory, Reading& reading);

/// The record of one run, read like ReadRuns does; throws Error(42704) when there is none.
StoredRun ReadRun(const std::string& runs_directory, const std::string& id);

/// Whether a record file of this name exists, readable or not.
bool HasRecord(const std::string& runs_directory, const std::string& id);

/// Removes records of runs queued before `before` that are final and whose set is gone, and what crashes before then
/// left of a Save.
void ForgetOldRuns(const std::string& runs_directory, core::UtcSeconds before, Reading& reading);

}  // namespace mfi::os
