#include "core/schedule/planner.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace mfi::core {

namespace {

constexpr std::array<std::pair<Trigger, std::string_view>, 5> kTriggers = {{
    {Trigger::kSchedule, "schedule"},
    {Trigger::kStart, "start"},
    {Trigger::kManual, "manual"},
    {Trigger::kCatchUp, "catch-up"},
    {Trigger::kRetry, "retry"},
}};

/// How long after a failure the next attempt follows.
constexpr std::array<std::int64_t, kMaxAttempts - 1> kBackOff = {5 * kMinute, 15 * kMinute, 45 * kMinute};

/// A run that may be started from `at` on.
struct Pending {
  UtcSeconds at;
  DueRun run;
};

UtcSeconds EndOf(const PastRun& run) { return run.finished_at.value_or(run.queued_at); }

class Planner {
 public:
  explicit Planner(const PlanInput& input) : in_(input) {
    if (in_.schedule != nullptr) last_ = in_.schedule->LastAtOrBefore(in_.now);
  }

  Plan Make() const {
    Plan plan;
    if (const std::optional<Slot> next = NextSlot()) {
      plan.next_run_at = next->run_at;
      plan.next_trigger = Trigger::kSchedule;
    }
    std::optional<Pending> first = SlotRun();
    if (!first) first = StartRun();
    if (first && first->at > in_.now) {
      plan.next_run_at = first->at;
      plan.next_trigger = first->run.trigger;
    } else if (first && !in_.run_in_progress) {
      plan.due = first->run;
    }
    return plan;
  }

 private:
  using Attempts = std::vector<const PastRun*>;

  /// The next slot that has not run yet (it may have, before the clock was set back).
  std::optional<Slot> NextSlot() const {
    if (in_.schedule == nullptr) return std::nullopt;
    std::optional<Slot> slot = in_.schedule->NextAfter(in_.now);
    while (slot && !AttemptsAt(*slot).empty()) slot = in_.schedule->NextAfter(slot->run_at);
    return slot;
  }

  /// The run for the last slot: the first one when it was awaited, or the retry of a failed one.
  std::optional<Pending> SlotRun() const {
    if (!last_) return std::nullopt;
    const Attempts attempts = AttemptsAt(*last_);
    if (!attempts.empty()) return RetryOf(attempts);
    if (!WasAwaited()) return std::nullopt;
    return Pending{last_->run_at, {OnTime() ? Trigger::kSchedule : Trigger::kCatchUp, last_->key, 1}};
  }

  bool OnTime() const { return in_.now - last_->run_at <= kLateAfter; }

  bool WasAwaited() const {
    if (last_->run_at >= in_.watching_since) return true;
    const bool clock_was_set_back = in_.now < in_.watching_since;
    return (clock_was_set_back && OnTime()) || FollowedBeforeLastSlot();
  }

  bool FollowedBeforeLastSlot() const {
    const PastRun* before = nullptr;
    for (const PastRun& run : in_.history) {
      if (run.queued_at < last_->run_at && (before == nullptr || run.queued_at > before->queued_at)) before = &run;
    }
    return before != nullptr && before->schedule_id == in_.schedule_id;
  }

  /// All runs made for `slot`. Another schedule's run under the same key counts when it came after the slot: with a
  /// new zone the same local time is another moment.
  Attempts AttemptsAt(const Slot& slot) const {
    Attempts attempts;
    for (const PastRun& run : in_.history) {
      const bool this_moment = run.schedule_id == in_.schedule_id || run.queued_at >= slot.run_at;
      if (run.slot_key == slot.key && this_moment) attempts.push_back(&run);
    }
    return attempts;
  }

  /// The run of this server start, or the retry of a failed one.
  std::optional<Pending> StartRun() const {
    if (!in_.backup_on_start || VerifiedSince(in_.server_start - kFreshOnStart + 1)) return std::nullopt;
    bool any_run = false;
    Attempts attempts;
    for (const PastRun& run : in_.history) {
      if (run.server_start != in_.server_start || run.trigger == Trigger::kManual) continue;
      any_run = true;
      if (run.slot_key.empty()) attempts.push_back(&run);
    }
    return any_run ? RetryOf(attempts) : Pending{in_.now, {Trigger::kStart, {}, 1}};
  }

  std::optional<Pending> RetryOf(const Attempts& attempts) const {
    if (attempts.empty() || in_.run_in_progress) return std::nullopt;
    const PastRun& latest = **std::max_element(
        attempts.begin(), attempts.end(), [](const PastRun* a, const PastRun* b) { return a->attempt < b->attempt; });
    const bool settled = std::any_of(attempts.begin(), attempts.end(),
                                     [](const PastRun* run) { return run->succeeded || run->cancelled; });
    if (settled || latest.attempt >= kMaxAttempts || VerifiedSince(EndOf(latest))) return std::nullopt;

    const int tried = std::max(latest.attempt, 1);
    const UtcSeconds at = EndOf(latest) + kBackOff[static_cast<std::size_t>(tried - 1)];
    const UtcSeconds soonest = std::max(at, in_.now);
    if (in_.schedule != nullptr) {
      const std::optional<Slot> bound = in_.schedule->NextAfter(std::min(latest.queued_at, in_.now));
      if (bound && soonest >= bound->run_at) return std::nullopt;
    }
    return Pending{at, {Trigger::kRetry, latest.slot_key, tried + 1}};
  }

  bool VerifiedSince(UtcSeconds since) const {
    const std::optional<UtcSeconds>& verified = in_.newest_verified_finished;
    return verified && *verified >= since && *verified <= in_.now;
  }

  const PlanInput& in_;
  std::optional<Slot> last_;
};

}  // namespace

std::string_view ToString(Trigger trigger) {
  return std::find_if(kTriggers.begin(), kTriggers.end(), [&](const auto& known) { return known.first == trigger; })
      ->second;
}

std::optional<Trigger> ParseTrigger(std::string_view text) {
  for (const auto& [trigger, name] : kTriggers) {
    if (name == text) return trigger;
  }
  return std::nullopt;
}

std::optional<UtcSeconds> NextProof(int attempts, UtcSeconds tried_at) {
  if (attempts < 1 || attempts >= kMaxAttempts) return std::nullopt;
  return tried_at + kBackOff[static_cast<std::size_t>(attempts - 1)];
}

Plan MakePlan(const PlanInput& input) { return Planner(input).Make(); }

}  // namespace mfi::core
