#include "pg/backup/backup_notifications.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "os/backup/record_store.h"
#include "pg/backup/backup_notices.h"
#include "pg/backup/run_board.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"
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

void BackupNotifications::Recall(const std::optional<bool>& last_failed) {
  if (!last_failed_) last_failed_ = last_failed;
}

void BackupNotifications::RunEnded(const core::RunRecord& run) {
  const bool after_trouble = stale_told_ || last_failed_.value_or(false);
  if (run.state == RunState::kFailed) Send("failure", "backup " + run.id + " failed: " + run.error, &run);
  if (run.state == RunState::kFailed) last_failed_ = true;
  if (run.state != RunState::kSucceeded) return;
  if (after_trouble) Send("recovery", "backups of " + run.database + " succeed again", &run);
  std::string message = "backup " + run.id + " succeeded, " + core::FormatBytes(run.size_bytes.value_or(0));
  if (run.verify_result == "ok")
    message += run.verify_method == core::VerifyMethod::kRestore ? ", proven by a restore" : ", read to its end";
  if (!run.error.empty()) message += "; " + run.error;
  Send("success", message, &run);
  last_failed_ = false;
}

void BackupNotifications::RunEnded(const std::string& id) {
  try {
    const os::StoredRun stored = os::ReadRun(ConfiguredDirectory().RunsPath(), id);
    if (!stored.interrupted && !stored.alive) RunEnded(stored.record);
  } catch (const PgError&) {
    throw;
  } catch (const core::Error&) {
    core::RunRecord lost{.id = id, .state = RunState::kFailed, .database = settings::database, .node = NodeName()};
    lost.error = NewestFailure().error;
    RunEnded(lost);
  }
}

void BackupNotifications::WatchAge(const std::optional<core::UtcSeconds>& newest_verified,
                                   core::UtcSeconds known_since) {
  const core::UtcSeconds age = UtcNow() - newest_verified.value_or(known_since);
  const bool stale = age > settings::backup_max_age_s;
  if (stale && !stale_told_) {
    const std::string message = newest_verified
                                    ? "the newest verified backup is " + core::FormatDuration(age) +
                                          " old, allowed are " + core::FormatDuration(settings::backup_max_age_s)
                                    : "there is no verified backup";
    Send("stale", message, nullptr);
  }
  stale_told_ = stale;
}

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
