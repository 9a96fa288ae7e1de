#pragma once

#include <optional>
#include <string>

#include "core/backup/notification.h"
#include "os/backup/notifier.h"

namespace mfi::pg {

/// The launcher's part that tells mfi.notify_command what becomes of the backups.
class BackupNotifications {
 public:
  /// What the directory says of the run before this process's first one; what this process has seen counts more.
  void Recall(const std::optional<bool>& last_failed);

  /// A run ended well or badly; cancelled runs are nobody's news. A success after a failure, or after backups that were
  /// too old, is told as a recovery, too.
  void RunEnded(const core::RunRecord& run);

  /// The same by its record. An interrupted run is told of when its record is closed.
  void RunEnded(const std::string& id);

  /// Tells, once, that the newest verified backup is too old, or that there is none. `known_since`: since when one is
  /// awaited.
  void WatchAge(const std::optional<core::UtcSeconds>& newest_verified, core::UtcSeconds known_since);

  /// Starts and ends commands without waiting; a command that failed is logged and told in the verdict.
  void Poll();

  /// Whether a command is running or waits, so that Poll is wanted again soon.
  bool Busy() const { return !notifier_.Idle(); }

 private:
  void Send(const char* event, const std::string& message, const core::RunRecord* run);

  os::Notifier notifier_;
  std::optional<bool> last_failed_;  // not known before the directory was read
  bool stale_told_ = false;
};

}  // namespace mfi::pg
