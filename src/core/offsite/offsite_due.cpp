#include "core/offsite/offsite_due.h"

#include <algorithm>

namespace mfi::core {
namespace {

constexpr std::int64_t kLongestPause = 15 * kMinute;
constexpr std::int64_t kLockedPause = 10;

bool Pauses(const OffsiteDueInput& input) {
  if (input.failures == 0 || input.last_failure > input.now) return false;
  // Who works on it is done soon.
  if (input.state.fault == kOffsiteLocked) return input.now < input.last_failure + kLockedPause;
  const std::int64_t pause = std::min(kLongestPause, kMinute << std::min(input.failures - 1, 10));
  return input.now < input.last_failure + pause;
}

/// Also when it was last done in a time that is still to come, by a clock that was set back.
bool IsOver(const std::optional<UtcSeconds>& last, std::int64_t period, UtcSeconds now) {
  return !last || now - *last >= period || *last > now;
}

/// The newest; null when it is copied, or there is none.
const ProvenSet* Uncopied(const std::vector<ProvenSet>& sets, bool only_newest) {
  const ProvenSet* newest = nullptr;
  const ProvenSet* found = nullptr;
  for (const ProvenSet& set : sets) {
    if (newest == nullptr || set.finished > newest->finished) newest = &set;
    if (!set.copied && (found == nullptr || set.finished > found->finished)) found = &set;
  }
  return only_newest && found != newest ? nullptr : found;
}

std::vector<OffsiteDue> AllDue(const OffsiteDueInput& input) {
  std::vector<OffsiteDue> due;
  const auto add = [&](OffsiteWork work) { due.push_back({work, {}}); };
  const auto add_set = [&](const ProvenSet* set) {
    if (set != nullptr && (due.empty() || due[0].set != set->id)) due.push_back({OffsiteWork::kSet, set->id});
  };
  if (input.is_primary) add_set(Uncopied(input.sets, true));
  if (input.has_store && IsOver(input.state.store_copied_at, input.interval_s, input.now)) add(OffsiteWork::kStore);
  if (input.is_primary) add_set(Uncopied(input.sets, false));
  if (IsOver(input.state.probed_at, kDay, input.now)) add(OffsiteWork::kProbe);
  if (!input.is_primary) return due;
  if (IsOver(input.state.checked_at, kDay, input.now)) add(OffsiteWork::kCheck);
  if (input.forgets && IsOver(input.state.forgot_at, kDay, input.now)) add(OffsiteWork::kForget);
  return due;
}

}  // namespace

OffsiteDue NextOffsiteWork(const OffsiteDueInput& input) {
  if (Pauses(input) || (!input.is_primary && !input.has_store)) return {};
  const std::vector<OffsiteDue> due = AllDue(input);
  // What failed last does not hold up the others.
  if (due.size() > 1 && due[0].work == input.failed) return due[1];
  if (!due.empty()) return due[0];
  const bool failing = input.state.failing_since.has_value();
  if (failing || IsOver(input.state.answered_at, input.interval_s, input.now)) return {OffsiteWork::kContact, {}};
  return {};
}

bool OffsiteDrillIsDue(UtcSeconds now, const std::optional<UtcSeconds>& last, bool has_copy,
                       const std::vector<OffsiteDrillRecord>& drills) {
  if (!last || !has_copy) return false;
  bool ended = false;
  for (const OffsiteDrillRecord& drill : drills) {
    if (drill.started_at > now) continue;
    if (!drill.error.empty()) {
      if (now - drill.started_at < kDay) return false;
    } else if (drill.started_at >= *last) {
      ended = true;
    }
  }
  return !ended;
}

int NextCheckPart(const OffsiteState& state) {
  const auto oldest = std::min_element(state.parts_read.begin(), state.parts_read.end(),
                                       [](const auto& a, const auto& b) { return a.value_or(0) < b.value_or(0); });
  return static_cast<int>(oldest - state.parts_read.begin()) + 1;
}

}  // namespace mfi::core
