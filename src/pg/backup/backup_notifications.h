#pragma once

#include <string>

#include "core/backup/notification.h"
#include "os/backup/notifier.h"

namespace mfi::pg {

/// The launcher's part that tells mfi.notify_command what becomes of the backups.
class BackupNotifications {
 public:
  /// A run ended well or badly; cancelled runs are nobody's news. `after_trouble`: the run before it failed, or the
  /// backups were stale.
  void RunEnded(const core::RunRecord& run, bool after_trouble);

  /// The newest verified backup is too old, or there is none.
  void Stale(const std::string& message);

  /// Starts and ends commands without waiting; a command that failed is logged and told in the verdict.
  void Poll();

  /// Whether a command is running or waits, so that Poll is wanted again soon.
  bool Busy() const { return !notifier_.Idle(); }

 private:
  void Send(const char* event, const std::string& message, const core::RunRecord* run);

  os::Notifier notifier_;
};

}  // namespace mfi::pg
