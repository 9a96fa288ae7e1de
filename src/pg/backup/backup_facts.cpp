#include "pg/backup/backup_facts.h"

#include "core/base/error.h"
#include "os/base/file.h"
#include "pg/backup/answering_directory.h"
#include "pg/backup/backup_notices.h"
#include "pg/backup/run_board.h"
#include "pg/offsite/offsite_facts.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"
#include "pg/server/settings.h"
#include "pg/server/shared_memory.h"
#include "pg/server/worker_presence.h"

extern "C" {
#include "access/xlog.h"
#include "commands/dbcommands.h"
}

namespace mfi::pg {
namespace {

void AddSharedFacts(core::BackupFacts& facts) {
  facts.preloaded = IsPreloaded();
  facts.launcher_alive = LauncherAlive();
  facts.schedule_held = ScheduleIsHeld();
  facts.run_in_progress = RunsAreWanted();
  const LastFailure failure = NewestFailure();
  facts.last_failed_id = failure.id;
  facts.last_failure = failure.error;
  facts.notify_failure = NotifyFailure();
}

/// The newest finished run decides; shared memory only knows of failures that left no record.
void AddLastFailure(core::BackupFacts& facts, const std::vector<os::HistoryEntry>& history) {
  for (auto it = history.rbegin(); it != history.rend(); ++it) {
    if (it->run.database != facts.database || !core::IsFinal(it->run.state)) continue;
    if (it->run.state == core::RunState::kFailed) {
      facts.last_failed_id = it->run.id;
      facts.last_failure = it->run.error;
    }
    return;
  }
}

}  // namespace

std::vector<os::HistoryEntry> ReadConfiguredHistory(bool* whole) {
  if (settings::backup_directory[0] == '\0') return {};
  try {
    return os::ReadHistory(ConfiguredDirectory(), whole);
  } catch (const PgError&) {
    throw;
  } catch (const core::Error&) {
    return {};
  }
}

std::vector<core::SetFacts> SetsOf(const std::vector<os::HistoryEntry>& history) {
  std::vector<core::SetFacts> sets;
  const std::string own = SystemIdentifier();
  for (const os::HistoryEntry& entry : history) {
    if (!entry.has_set || entry.run.database != settings::database) continue;
    sets.push_back(
        {.id = entry.run.id,
         .finished = entry.run.finished_at.value_or(entry.run.queued_at),
         .size_bytes = entry.run.size_bytes.value_or(0),
         .tables = entry.run.tables,
         .verified = entry.run.verify_result == "ok",
         .restored = entry.run.verify_method == core::VerifyMethod::kRestore && entry.run.verify_result == "ok",
         .lacking_walls = entry.run.proof_sandbox == core::kWholeSandbox ? "" : entry.run.proof_sandbox,
         .remark = entry.run.error,
         .foreign = entry.run.system_identifier != own});
  }
  return sets;
}

core::BackupFacts GatherBackupFacts() {
  core::BackupFacts facts;
  facts.now = UtcNow();
  facts.in_recovery = CallPg([] { return RecoveryInProgress(); });
  facts.directory = settings::backup_directory;
  facts.database = settings::database;
  facts.database_exists = CallPg([] { return OidIsValid(get_database_oid(settings::database, true)); });
  facts.has_schedule = settings::backup_schedule[0] != '\0';
  facts.verify_off = settings::BackupVerify() == core::VerifyMethod::kNone;
  facts.restore_wanted = settings::BackupVerify() == core::VerifyMethod::kRestore;
  facts.max_age_s = settings::backup_max_age_s;
  AddSharedFacts(facts);
  facts.launcher_stalled_s = LauncherStalledFor();
  // Whoever asks must not hang where the launcher does.
  if (facts.directory.empty() || facts.launcher_stalled_s > 0) return facts;
  facts.directory_silent = !BackupDirectoryAnswers();
  if (facts.directory_silent) return facts;
  try {
    ConfiguredDirectory().CheckUsable(DataDir);
  } catch (const core::Error& error) {
    facts.directory_problem = error.what();
    facts.directory_remedy = error.hint();
  }
  facts.same_device = os::OnSameDevice(facts.directory, DataDir);
  facts.copy_proven = facts.same_device && CopyIsProven();
  bool whole = true;
  const std::vector<os::HistoryEntry> history = ReadConfiguredHistory(&whole);
  if (!whole && facts.directory_problem.empty()) {
    facts.directory_problem = os::kNotWhole;
    facts.directory_remedy = os::kNotWholeHint;
  }
  facts.sets = SetsOf(history);
  AddLastFailure(facts, history);
  return facts;
}

}  // namespace mfi::pg
