#include "core/offsite/offsite_health.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/timestamp.h"

namespace mfi::core {
namespace {

constexpr std::int64_t kMissedCopies = 4;      // of the store, before the verdict warns
constexpr std::int64_t kPatience = 2 * kHour;  // with the first copy of all
constexpr std::int64_t kUnchecked = 3 * kDay;
constexpr std::int64_t kLockedPatience = kHour;
constexpr double kCopierSilent = 300;

class Judge {
 public:
  explicit Judge(const OffsiteFacts& facts) : facts_(facts) {}

  Reasons Run() {
    if (!facts_.on) {
      Add(Verdict::kOk, kOffsiteOff, "mfi.offsite_repository is not set, so no copy leaves this machine by itself",
          "docs/offsite.md says how copies are made that nobody on this machine can take away.");
      return std::move(reasons_);
    }
    if (facts_.directory_silent) {
      Add(Verdict::kUnknown, "offsite-unknown", "what was copied could not be read: its file system does not answer",
          "Look at that mount (a network share whose server is gone?), and ask again.");
      return std::move(reasons_);
    }
    JudgeCopier();
    JudgeContact();
    if (facts_.is_primary) {
      JudgeSets();
      JudgeRepository();
      JudgeDrills();
    }
    JudgeStore();
    JudgeMissing();
    if (facts_.state.deletable == true) {
      Add(Verdict::kWarning, "offsite-deletable",
          "with the credentials of this node the copies can be deleted: who takes this machine takes them, too",
          "Have the repository's server accept additions only; docs/offsite.md shows it for each kind.");
    }
    SortByGravity(reasons_);
    return std::move(reasons_);
  }

 private:
  void Add(Verdict verdict, const char* code, std::string sentence, std::string next_step) {
    reasons_.push_back({verdict, code, std::move(sentence), std::move(next_step)});
  }

  std::string Ago(UtcSeconds at) const { return FormatDuration(std::max<std::int64_t>(0, facts_.now - at)); }

  void JudgeCopier() {
    if (!facts_.preloaded) return;
    if (!facts_.copier_silent_s) {
      Add(Verdict::kWarning, "offsite-unreachable", "the mfi copier is not running, so nothing is copied",
          "It starts by itself within seconds; if not, the server's log tells why.");
    } else if (*facts_.copier_silent_s > kCopierSilent) {
      Add(Verdict::kWarning, "offsite-unreachable",
          "the mfi copier has been waiting for " + FormatDuration(std::llround(*facts_.copier_silent_s)) +
              " for a file system",
          "Look at the mounts of mfi.backup_directory and mfi.recovery_directory.");
    }
  }

  void JudgeContact() {
    const OffsiteState& state = facts_.state;
    if (!state.failing_since) return;
    // The other node, or whoever looks after the repository, is done soon.
    if (state.fault == kOffsiteLocked && facts_.now - *state.failing_since < kLockedPatience) return;
    const bool lost = state.fault == "offsite-password-lost";
    const std::string since = state.answered_at ? ", for " + Ago(*state.failing_since) : ", and never did";
    Add(lost ? Verdict::kCritical : Verdict::kWarning, lost ? "offsite-password-lost" : "offsite-unreachable",
        lost ? "the repository's password is lost on this node: " + state.error
             : "the repository cannot be used" + since + ": " + state.error,
        lost ? "Put it back from where the key sheet says it is kept; without it, no copy can be read."
             : state.next_step);
  }

  void JudgeSets() {
    std::optional<UtcSeconds> newest;
    std::optional<UtcSeconds> oldest;
    bool waits_one = false;
    for (const ProvenSet& set : facts_.sets) {
      oldest = std::min(oldest.value_or(set.finished), set.finished);
      if (set.copied) newest = std::max(newest.value_or(set.finished), set.finished);
      waits_one |= !set.copied;
    }
    if (waits_one && !facts_.has_room) {
      Add(Verdict::kWarning, "offsite-no-room",
          "backups wait for their copy, and there is no room to keep them until then: they go when they are old enough",
          "Make room at mfi.backup_directory, for three more of the largest backup.");
    }
    if (!newest) {
      const bool waits = !oldest || facts_.now - *oldest < kPatience;
      Add(waits ? Verdict::kOk : Verdict::kCritical, "offsite-stale", "no proven backup is in the repository yet",
          oldest ? "SELECT * FROM mfi_offsite tells what is being copied, and what keeps it."
                 : "It is copied as soon as there is one: SELECT mfi_backup_now(wait => true).");
      return;
    }
    const std::int64_t age = facts_.now - *newest;
    if (age <= facts_.max_age_s) return;
    Add(age > 3 * facts_.max_age_s ? Verdict::kCritical : Verdict::kWarning, "offsite-stale",
        "the newest proven backup in the repository is of " + Ago(*newest) + " ago, allowed are " +
            FormatDuration(facts_.max_age_s),
        "SELECT * FROM mfi_offsite tells what is being copied, and what keeps it.");
  }

  void JudgeStore() {
    if (!facts_.has_store) return;
    const std::optional<UtcSeconds>& at = facts_.state.store_copied_at;
    const std::int64_t allowed = std::max(kHour, kMissedCopies * facts_.interval_s);
    if (at && facts_.now - *at <= allowed) return;
    Add(at ? Verdict::kWarning : Verdict::kOk, "offsite-stale",
        at ? "the recovery store was last copied " + Ago(*at) + " ago, allowed are " + FormatDuration(allowed)
           : "the recovery store was not copied yet",
        "SELECT * FROM mfi_offsite tells what is being copied, and what keeps it.");
  }

  void JudgeMissing() {
    if (facts_.state.missing.empty()) return;
    Add(Verdict::kCritical, "offsite-missing",
        "copies were in the repository that are not there any more: " + facts_.state.missing,
        "Somebody deletes there: find out who, and change the credentials. What is still here is copied again.");
  }

  void JudgeRepository() {
    const OffsiteState& state = facts_.state;
    if (!state.damage.empty()) {
      Add(Verdict::kCritical, "offsite-corrupt", "the repository is damaged: " + state.damage,
          "Begin another one in a new place, then look at this one with restic check --read-data.");
    }
    if (!state.keep_error.empty()) {
      Add(Verdict::kWarning, "offsite-keep-refused",
          "the repository lets nothing go that mfi.offsite_keep would not keep: " + state.keep_error,
          "Where only additions are accepted, its server prunes: ALTER SYSTEM SET mfi.offsite_keep = ''.");
    }
    if (state.failing_since) return;
    if (const auto since = Neglected(state.checked_at)) {
      Add(Verdict::kWarning, "offsite-unchecked", "no part of the repository was read for " + Ago(*since),
          "The server's log tells what keeps it.");
    }
    if (const auto since = Neglected(state.probed_at)) {
      Add(Verdict::kWarning, "offsite-unchecked", "whether copies can be deleted was not tried for " + Ago(*since),
          "The server's log tells what keeps it.");
    }
  }

  /// Since when something that is to be done each day was not, if for too long. Never done: since the first copy.
  std::optional<UtcSeconds> Neglected(std::optional<UtcSeconds> since) const {
    if (!since) {
      for (const ProvenSet& set : facts_.sets) {
        if (set.copied) since = std::min(since.value_or(set.finished), set.finished);
      }
    }
    return since && facts_.now - *since > kUnchecked ? since : std::nullopt;
  }

  void JudgeDrills() {
    if (!facts_.drill_error.empty()) {
      Add(Verdict::kCritical, "offsite-drill-failed", "the last drill from a copy failed: " + facts_.drill_error,
          "Correct the cause, then SELECT mfi_offsite_drill().");
    }
    const bool is_late = facts_.drill_due && (!facts_.drilled_at || *facts_.drilled_at < *facts_.drill_due);
    if (!is_late) return;
    Add(Verdict::kWarning, "offsite-drill-stale",
        facts_.drilled_at ? "no copy was restored and proven for " + Ago(*facts_.drilled_at)
                          : "no copy was ever restored and proven",
        "SELECT mfi_offsite_drill().");
  }

  const OffsiteFacts& facts_;
  Reasons reasons_;
};

}  // namespace

Reasons JudgeOffsite(const OffsiteFacts& facts) { return Judge(facts).Run(); }

}  // namespace mfi::core
