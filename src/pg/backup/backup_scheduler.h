#pragma once

#include <optional>
#include <string>

#include "core/schedule/planner.h"
#include "pg/backup/backup_notifications.h"
#include "pg/backup/directory_tidier.h"
#include "pg/backup/directory_view.h"
#include "pg/backup/request_queue.h"
#include "pg/backup/runner_watch.h"

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
  void TakeRequests();
  void CancelRuns();
  void WatchRunner();
  void Tidy();
  void FollowSchedule();
  void ProveAgain();
  core::Plan MakePlan(const std::optional<core::Schedule>& schedule) const;
  void ShowPlan(const core::Plan& plan);
  void Enqueue(const Request& request);
  void StartNext();
  void Fail(WaitingRequest& waiting, const std::string& error);

  DirectoryView directory_;
  RequestQueue queue_;
  RunnerWatch runner_;
  DirectoryTidier tidier_;
  BackupNotifications notifications_;
  std::string schedule_id_;
  core::UtcSeconds watching_since_ = 0;
  core::UtcSeconds started_ = 0;
  std::optional<core::UtcSeconds> next_run_at_;
};

}  // namespace mfi::pg
