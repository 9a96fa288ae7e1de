#include "core/backup/backup_health.h"

#include <algorithm>
#include <cmath>

#include "core/base/timestamp.h"

namespace mfi::core {
namespace {

constexpr std::size_t kNeighbours = 7;

class Judge {
 public:
  explicit Judge(const BackupFacts& facts) : facts_(facts) {}

  Reasons Run() {
    if (facts_.in_recovery) {
      JudgeStandby();
    } else {
      JudgePrimary();
    }
    SortByGravity(reasons_);
    return std::move(reasons_);
  }

 private:
  void Add(Verdict verdict, const char* code, std::string sentence, std::string next_step) {
    reasons_.push_back({verdict, code, std::move(sentence), std::move(next_step)});
  }

  /// The primary makes the backups; what a standby can see of them it says, what it cannot see is not its fault.
  void JudgeStandby() {
    JudgeStall();
    if (!facts_.sets.empty()) JudgeFreshness();
  }

  void JudgePrimary() {
    if (!facts_.preloaded) {
      Add(Verdict::kCritical, "not-preloaded",
          "the mfi library is not loaded at server start, so nothing schedules backups",
          "Set shared_preload_libraries = 'mfi' in postgresql.conf and restart the server.");
    } else if (!facts_.launcher_alive) {
      Add(Verdict::kCritical, "launcher-down", "the mfi launcher is not running, so nothing schedules backups",
          "It restarts by itself within seconds; if not, read the server's log.");
    }
    if (facts_.directory.empty()) {
      Add(Verdict::kWarning, "backups-off", "mfi.backup_directory is not set, so backups are off",
          "ALTER SYSTEM SET mfi.backup_directory = '/path/of/backups'; SELECT pg_reload_conf().");
      return;
    }
    if (!facts_.database_exists && facts_.preloaded) {
      Add(Verdict::kWarning, "database-missing", "there is no database \"" + facts_.database + "\" to back up",
          "Create it, or set mfi.database and restart.");
    }
    if (facts_.schedule_held) {
      Add(Verdict::kCritical, "schedule-held",
          "a setting in the configuration file is not valid, so no backup is scheduled",
          "Correct the setting that setting-invalid names, then SELECT pg_reload_conf().");
    } else if (!facts_.has_schedule) {
      Add(Verdict::kWarning, "no-schedule", "mfi.backup_schedule is empty, so no backup is scheduled",
          "ALTER SYSTEM SET mfi.backup_schedule = '0 2 * * *'; SELECT pg_reload_conf().");
    }
    if (JudgeStall()) return;
    if (!facts_.directory_problem.empty()) {
      Add(Verdict::kCritical, "backup-directory-unusable", facts_.directory_problem,
          facts_.directory_remedy.empty()
              ? "Make the directory usable for the server's operating system user; the next run then succeeds."
              : facts_.directory_remedy);
      return;
    }
    JudgeFreshness();
    if (!facts_.last_failed_id.empty()) {
      Add(Verdict::kWarning, "last-backup-failed", facts_.last_failed_id + " failed: " + facts_.last_failure,
          "Correct the cause, then SELECT mfi_backup_now(wait => true).");
    }
    if (!facts_.notify_failure.empty()) {
      Add(Verdict::kWarning, "notify-failed", "mfi.notify_command: " + facts_.notify_failure,
          "Run the command by hand as the server's user, then correct it; the next backup tries it again.");
    }
    if (facts_.same_device && !facts_.copy_proven) {
      Add(Verdict::kWarning, "backups-on-same-device",
          "\"" + facts_.directory + "\" is on the same device as the data: one broken disk takes both",
          "Mount another disk there, or copy the sets away after each backup.");
    }
  }

  bool JudgeStall() {
    if (facts_.directory.empty()) return false;
    if (facts_.launcher_stalled_s <= 0 && facts_.directory_silent) {
      Add(Verdict::kUnknown, "backup-directory-unknown",
          "the file system of \"" + facts_.directory + "\" did not answer in time, so it was not looked at",
          "Look at that mount (a network share whose server is gone?), and ask again.");
      return true;
    }
    if (facts_.launcher_stalled_s <= 0) return false;
    Add(Verdict::kUnknown, "backup-directory-unknown",
        "the mfi launcher has been waiting for " + FormatDuration(std::llround(facts_.launcher_stalled_s)) + ", so \"" +
            facts_.directory + "\" was not looked at",
        kStalledStep);
    return true;
  }

  void JudgeFreshness() {
    const auto newest = NewestVerified(facts_.sets);
    if (facts_.verify_off) {
      Add(Verdict::kWarning, "verification-off", "mfi.backup_verify = none: backups are not verified",
          "ALTER SYSTEM SET mfi.backup_verify = 'list'; SELECT pg_reload_conf().");
    }
    if (!newest) {
      const bool first = facts_.run_in_progress;
      Add(first ? Verdict::kWarning : Verdict::kCritical, "no-verified-backup",
          std::string("there is no verified backup") + (first ? " yet; one is being made" : ""),
          first ? "Wait for it: SELECT * FROM mfi_backup_progress." : "SELECT mfi_backup_now(wait => true).");
    } else if (facts_.now - *newest > facts_.max_age_s) {
      Add(Verdict::kCritical, "backup-stale",
          "the newest verified backup is " + FormatDuration(facts_.now - *newest) + " old, allowed are " +
              FormatDuration(facts_.max_age_s),
          "SELECT mfi_backup_now(wait => true), and look at error in mfi_backups for why none came.");
    }
    if (newest && !facts_.sets.back().foreign) JudgeLast(facts_.sets.back());
    const std::vector<bool> suspicious = FindSuspicious(facts_.sets);
    if (!suspicious.empty() && suspicious.back()) {
      Add(Verdict::kWarning, "backup-suspicious",
          facts_.sets.back().id + " is far smaller, or has fewer tables, than the ones before it",
          "See whether data was removed on purpose; older sets are kept by retention's floors and mfi_backup_hold.");
    }
  }

  void JudgeLast(const SetFacts& last) {
    if (!last.lacking_walls.empty()) {
      // Without objects that only a superuser may restore, nobody's code runs with rights that are not its own.
      Add(last.restored ? Verdict::kOk : Verdict::kWarning, "proof-unsandboxed",
          "the sandbox around the proof of " + last.id + " is not whole: " + last.lacking_walls,
          last.restored ? "" : "A Linux kernel of 6.12 or later has all of it.");
    }
    if (facts_.restore_wanted && !last.restored) {
      Add(Verdict::kWarning, "backup-not-proven",
          last.id + (last.remark.empty() ? " was not proven by a restore" : ": " + last.remark),
          "Give mfi.scratch_directory the room for one restore, then SELECT mfi_backup_verify('" + last.id + "').");
    } else if (!last.remark.empty()) {
      Add(Verdict::kWarning, "backup-remark", last.id + ": " + last.remark,
          "The set is good; correct what it says before the next backup.");
    }
  }

  const BackupFacts& facts_;
  Reasons reasons_;
};

}  // namespace

std::vector<bool> FindSuspicious(const std::vector<SetFacts>& sets) {
  std::vector<bool> suspicious;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    std::vector<std::int64_t> sizes;
    const SetFacts* before = nullptr;
    for (std::size_t j = i; j-- > 0 && sizes.size() < kNeighbours;) {
      if (sets[j].foreign != sets[i].foreign) continue;
      if (before == nullptr) before = &sets[j];
      sizes.push_back(sets[j].size_bytes);
    }
    std::sort(sizes.begin(), sizes.end());
    const bool shrunk = !sizes.empty() && sets[i].size_bytes < sizes[sizes.size() / 2] / 2;
    suspicious.push_back(shrunk || (before != nullptr && sets[i].tables < before->tables));
  }
  return suspicious;
}

std::optional<UtcSeconds> NewestVerified(const std::vector<SetFacts>& sets) {
  std::optional<UtcSeconds> newest;
  for (const SetFacts& set : sets) {
    if (set.verified && !set.foreign) newest = std::max(newest.value_or(set.finished), set.finished);
  }
  return newest;
}

Reasons JudgeBackups(const BackupFacts& facts) { return Judge(facts).Run(); }

}  // namespace mfi::core
