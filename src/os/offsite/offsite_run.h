#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/offsite/keep_rule.h"
#include "core/offsite/offsite_due.h"
#include "core/offsite/offsite_state.h"
#include "os/backup/run_host.h"
#include "os/offsite/copy_records.h"
#include "os/offsite/offsite_job.h"

namespace mfi::os {

class Restic;

/// What a node copies, and where it notes what it has done.
struct OffsiteSource {
  std::string backup_directory;    // empty: it has none
  std::string database;            // whose sets are copied
  std::string recovery_directory;  // empty: it has none
  std::vector<core::KeptPeriods> keep;
  std::string state_path;
};

/// The proven sets of this cluster, with whether they are in the repository of that id, oldest first.
std::vector<core::ProvenSet> ProvenSets(const OffsiteSource& source, const OffsiteJob& job,
                                        const std::string& repository_id);

/// One node's work on a repository elsewhere, a piece at a time. Each leaves its outcome in the state, on disk.
class OffsiteRun {
 public:
  OffsiteRun(OffsiteJob job, OffsiteSource source, RunHost& host);

  std::vector<core::ProvenSet> Sets() const { return ProvenSets(source_, job_, state_.repository_id); }

  /// Does it to the end. Returns false, with the reason in the state, when it failed. Throws core::Stop alone.
  bool Do(const core::OffsiteDue& due);

  const core::OffsiteState& state() const { return state_; }

 private:
  void Attempt(const core::OffsiteDue& due);
  void DoIt(const Restic& restic, const core::OffsiteDue& due);
  void TakeUpRepository(const Restic& restic);
  void Confirm(const Restic& restic);
  void CopyOne(const Restic& restic, const std::string& id);
  void CopyStoreOnce(const Restic& restic);
  void ProbeOnce(const Restic& restic);
  void ForgetOnce(const Restic& restic);
  void CheckOnce(const Restic& restic);
  CopyRecords Records() const;
  void NoteFailure(const core::Error& error, const char* fault);
  void Save() const;

  OffsiteJob job_;
  OffsiteSource source_;
  RunHost& host_;
  core::OffsiteState state_;
};

/// What a state file says; a new state when there is none, or it cannot be read.
core::OffsiteState ReadOffsiteState(const std::string& path);

/// Where a node notes it: in the backup directory, or, without one, in its recovery store.
std::string OffsiteStatePath(const std::string& backup_directory, const std::string& recovery_directory,
                             const std::string& node);

}  // namespace mfi::os
