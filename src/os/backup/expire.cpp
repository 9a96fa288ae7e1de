#include "os/backup/expire.h"

#include <algorithm>
#include <optional>

#include "core/base/error.h"
#include "os/backup/record_store.h"

namespace mfi::os {
namespace {

constexpr std::int64_t kKeepRecords = 366 * core::kDay;

void MarkExpired(const BackupDirectory& directory, const std::string& id, const std::string& reason) {
  try {
    LockedRecord saved(directory.RunsPath(), ReadRun(directory.RunsPath(), id).record);
    saved.record().state = core::RunState::kExpired;
    saved.record().error = reason;
    saved.Save();
  } catch (const core::Error& error) {
    if (error.sqlstate() != "42704") throw;  // a set without a record: nothing to mark
  }
}

core::RetainedSet ToRetained(const StoredSet& set, const std::string& system_identifier,
                             const std::string& repository) {
  const core::RunRecord& run = set.manifest.run;
  return {.id = run.id,
          .finished = run.finished_at.value_or(run.queued_at),
          .verified = run.verify_result == "ok",
          .held = set.manifest.held,
          .foreign = run.system_identifier != system_identifier,
          .hold_reason = set.manifest.hold_reason,
          .uncopied = run.verify_method == core::VerifyMethod::kRestore && run.verify_result == "ok" &&
                      core::CopyIn(set.manifest.copies, repository) == nullptr};
}

core::RetentionRule WithinRoom(core::RetentionRule rule, const BackupDirectory& directory,
                               const std::vector<StoredSet>& sets) {
  rule.keep_uncopied = rule.keep_uncopied && HasRoomForUncopied(directory, sets);
  return rule;
}

std::vector<StoredSet> FailedOf(const BackupDirectory& directory, const std::string& database) {
  std::vector<StoredSet> sets = directory.FailedSets();
  std::erase_if(sets, [&](const StoredSet& set) { return set.manifest.run.database != database; });
  return sets;
}

std::vector<core::RetentionDecision> PlanFailed(const std::vector<StoredSet>& failed,
                                                const std::string& system_identifier, const core::RetentionRule& rule,
                                                core::UtcSeconds now) {
  std::vector<core::RetainedSet> sets;
  sets.reserve(failed.size());
  for (const StoredSet& set : failed) sets.push_back(ToRetained(set, system_identifier, rule.repository));
  return core::PlanFailedRetention(sets, rule, now);
}

std::vector<core::RetentionDecision> PlanPublished(const BackupDirectory& directory, const std::string& database,
                                                   const std::string& system_identifier,
                                                   const core::RetentionRule& rule, core::UtcSeconds now) {
  std::vector<core::RetainedSet> sets;
  std::vector<core::RetentionDecision> failed;
  const std::vector<StoredSet> published = directory.Sets();
  for (const StoredSet& set : published) {
    const core::RunRecord& run = set.manifest.run;
    if (run.database != database) continue;
    if (!run.verify_result.empty() && run.verify_result != "ok") {
      // It is not good, so it fills no floor; and a person should see it before it goes.
      failed.push_back({run.id, true, "kept: failed its verification, remove it by hand"});
      continue;
    }
    sets.push_back(ToRetained(set, system_identifier, rule.repository));
  }
  std::vector<core::RetentionDecision> decisions =
      core::PlanRetention(sets, WithinRoom(rule, directory, published), now);
  decisions.insert(decisions.end(), failed.begin(), failed.end());
  return decisions;
}

/// What is done with one set after the other: one that fails keeps none of the others.
class EachAlone {
 public:
  /// Whether it succeeded.
  template <typename Step>
  bool Try(const std::string& id, const Step& step) {
    try {
      step();
      return true;
    } catch (const core::Error& error) {
      ++failures_;
      if (!first_) first_.emplace(error.sqlstate(), id + ": " + error.what(), std::string(), error.hint());
    }
    return false;
  }

  /// Throws when something failed.
  void Tell() const {
    if (!first_) return;
    const std::string more = failures_ > 1 ? ", and " + std::to_string(failures_ - 1) + " more" : "";
    throw core::Error(first_->sqlstate(), first_->what() + more, {}, first_->hint());
  }

 private:
  int failures_ = 0;
  std::optional<core::Error> first_;
};

void RemoveFailed(EachAlone& each, const BackupDirectory& directory, const std::string& database,
                  const std::string& system_identifier, const core::RetentionRule& rule, core::UtcSeconds now) {
  const std::vector<StoredSet> failed = FailedOf(directory, database);
  const std::vector<core::RetentionDecision> decisions = PlanFailed(failed, system_identifier, rule, now);
  for (std::size_t i = 0; i < failed.size(); ++i) {
    if (decisions[i].keep) continue;
    each.Try(decisions[i].id, [&] { directory.RemoveFailed(failed[i]); });
  }
}

}  // namespace

bool HasRoomForUncopied(const BackupDirectory& directory, const std::vector<StoredSet>& sets) {
  constexpr std::int64_t kSetsToCome = 3;
  std::int64_t largest = 0;
  for (const StoredSet& set : sets) largest = std::max(largest, set.manifest.run.size_bytes.value_or(0));
  return FreeSpace(directory.root()) >= kSetsToCome * largest;
}

std::vector<core::RetentionDecision> PreviewExpiry(const BackupDirectory& directory, const std::string& database,
                                                   const std::string& system_identifier,
                                                   const core::RetentionRule& rule, core::UtcSeconds now) {
  std::vector<core::RetentionDecision> decisions = PlanPublished(directory, database, system_identifier, rule, now);
  for (core::RetentionDecision& decision : PlanFailed(FailedOf(directory, database), system_identifier, rule, now)) {
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

void Expire(const BackupDirectory& directory, const std::string& database, const std::string& system_identifier,
            const core::RetentionRule& rule, core::UtcSeconds now) {
  const FileLock lock = directory.LockForRemoval();
  if (!lock.held()) return;
  EachAlone each;
  for (const core::RetentionDecision& decision : PlanPublished(directory, database, system_identifier, rule, now)) {
    if (decision.keep) continue;
    // A record that cannot be written stops it all: no set shall go without a word.
    if (each.Try(decision.id, [&] { directory.Remove(decision.id); })) {
      MarkExpired(directory, decision.id, decision.reason);
    }
  }
  RemoveFailed(each, directory, database, system_identifier, rule, now);
  Reading reading = directory.StartReading();
  ForgetOldRuns(directory.RunsPath(), now - kKeepRecords, reading);
  each.Tell();
}

void ExpireFailed(const BackupDirectory& directory, const std::string& database, const std::string& system_identifier,
                  const core::RetentionRule& rule, core::UtcSeconds now) {
  const FileLock lock = directory.LockForRemoval();
  if (!lock.held()) return;
  EachAlone each;
  RemoveFailed(each, directory, database, system_identifier, rule, now);
  each.Tell();
}

}  // namespace mfi::os
