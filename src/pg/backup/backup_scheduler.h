#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/schedule/planner.h"
#include "os/backup/history.h"
#include "os/backup/record_store.h"
#include "pg/backup/backup_notifications.h"
#include "pg/backup/run_board.h"
#include "pg/server/zone.h"

struct BackgroundWorkerHandle;

namespace mfi::pg {

/// The launcher's part that starts backups: takes requests, asks core what is due, hands one run at a time to a
/// runner. What it needs to know survives it in the backup directory.
class BackupScheduler {
 public:
  /// From now on slots of the schedule are awaited.
  void Start();

  /// One round; returns milliseconds until it wants the next one.
  long Round();

 private:
  /// A run that waits for its turn, its record on disk locked by this process when one could be written.
  struct Waiting {
    Request request;
    std::optional<os::LockedRecord> record;  // of a backup
  };

  void Tidy();
  void CloseInterrupted(const os::BackupDirectory& directory);
  void ReadDirectory();
  void TakeRequests();
  void CancelWaiting();
  void Cancel(const std::string& id);
  void WatchRunner();
  void FollowSchedule();
  void ProveAgain();
  core::Plan MakePlan(const std::optional<core::Schedule>& schedule) const;
  void Publish(const core::Plan& plan);
  void Enqueue(const Request& request);
  void StartNext();
  void Fail(Waiting& waiting, const std::string& error);
  bool RunInProgress() const;
  bool BackupInProgress() const;
  void TellEnd(const std::string& id);
  void TellEnd(const core::RunRecord& run);
  void WatchAge();

  std::vector<core::PastRun> history_;     // of mfi.database, from the directory
  std::vector<core::PastRun> unrecorded_;  // runs whose record could not be written
  std::optional<core::UtcSeconds> newest_verified_;
  std::uint64_t verifying_ = 0;  // the ticket of what the runner verified when it was last looked at; 0: nothing
  std::string unproven_;         // the newest set of this cluster, when its proof did not come to its end
  std::optional<core::UtcSeconds> prove_at_;
  std::string directory_read_;  // the directory history_ is from
  core::UtcSeconds directory_read_at_ = 0;
  std::string schedule_id_;
  core::UtcSeconds watching_since_ = 0;
  std::deque<Waiting> waiting_;
  std::optional<Waiting> starting_;  // handed to the runner
  BackgroundWorkerHandle* runner_ = nullptr;
  std::string running_;       // id of the run that was going on in the last round; empty: none, or none of a backup
  bool was_running_ = false;  // some run was going on in the last round
  BackupNotifications notifications_;
  core::UtcSeconds started_ = 0;
  std::optional<bool> trouble_;  // the last run failed; not known before the directory was read
  bool stale_told_ = false;
  bool tidy_ = false;  // records and leftovers of runs that died were seen to since the last run
  std::string untidy_because_;
  bool whole_ = true;  // the last reading of the directory left nothing out
  std::optional<core::UtcSeconds> next_run_at_;
};

}  // namespace mfi::pg
