#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/schedule/next_proof.h"
#include "core/schedule/planner.h"
#include "pg/backup/run_board.h"

namespace mfi::pg {

/// What the launcher knows of the backup directory: the runs and sets of mfi.database. It is read again after a minute,
/// or when something is known to have changed. A directory that cannot be read is as an empty one: the run that is due
/// will fail, and tell why.
class DirectoryView {
 public:
  /// Reads the directory unless what is known is fresh.
  void Refresh();

  /// Something changed in it: the next Refresh reads it.
  void ReadAgain() { read_.clear(); }

  /// A run failed and not even its record could be written: the planner must know of it all the same.
  void RememberUnrecorded(const BackupRequest& request);

  /// All known runs, those without a record last.
  std::vector<core::PastRun> Runs() const;

  /// When the newest verified set of this cluster finished.
  const std::optional<core::UtcSeconds>& newest_verified() const { return newest_verified_; }

  /// Whether the newest run failed; nullopt as long as the directory could not be read.
  const std::optional<bool>& last_failed() const { return last_failed_; }

  /// The proof to be tried again; TakeProof is for whoever tries it.
  const std::optional<core::PendingProof>& proof() const { return proof_; }
  void TakeProof() { proof_.reset(); }

 private:
  void Read();

  std::vector<core::PastRun> history_;     // of mfi.database, from the directory
  std::vector<core::PastRun> unrecorded_;  // runs whose record could not be written
  std::optional<core::UtcSeconds> newest_verified_;
  std::optional<bool> last_failed_;
  std::optional<core::PendingProof> proof_;
  std::string read_;  // the directory that this is from; empty: it is to be read
  core::UtcSeconds read_at_ = 0;
  bool whole_ = true;  // the last reading left nothing out
};

}  // namespace mfi::pg
