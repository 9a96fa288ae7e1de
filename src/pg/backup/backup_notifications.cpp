#include "pg/backup/backup_notifications.h"

#include <utility>

#include "core/base/timestamp.h"
#include "pg/backup/backup_notices.h"
#include "pg/node/node.h"
#include "pg/server/bridge.h"
#include "pg/server/settings.h"

namespace mfi::pg {

using core::RunState;

void BackupNotifications::Send(const char* event, const std::string& message, const core::RunRecord* run) {
  std::vector<std::string> command = core::SplitCommand(settings::notify_command);
  if (command.empty()) return;
  core::Notification notification{.event = event,
                                  .at = UtcNow(),
                                  .node = NodeName(),
                                  .database = settings::database,
                                  .directory = settings::backup_directory,
                                  .message = message};
  if (run != nullptr) notification.run = *run;
  notifier_.Send(std::move(command), core::ToJson(notification));
}

void BackupNotifications::RunEnded(const core::RunRecord& run, bool after_trouble) {
  if (run.state == RunState::kFailed) Send("failure", "backup " + run.id + " failed: " + run.error, &run);
  if (run.state != RunState::kSucceeded) return;
  if (after_trouble) Send("recovery", "backups of " + run.database + " succeed again", &run);
  std::string message = "backup " + run.id + " succeeded, " + core::FormatBytes(run.size_bytes.value_or(0));
  if (run.verify_result == "ok")
    message += run.verify_method == core::VerifyMethod::kRestore ? ", proven by a restore" : ", read to its end";
  if (!run.error.empty()) message += "; " + run.error;
  Send("success", message, &run);
}

void BackupNotifications::Stale(const std::string& message) { Send("stale", message, nullptr); }

void BackupNotifications::Poll() {
  if (notifier_.Idle()) return;
  for (const std::string& outcome : notifier_.Poll(std::chrono::seconds(settings::backup_timeout_s))) {
    ShowNotifyFailure(outcome);
    if (outcome.empty()) continue;
    const char* text = outcome.c_str();
    CallPg([&] { ereport(LOG, (errmsg("mfi.notify_command: %s", text))); });
  }
}

}  // namespace mfi::pg
