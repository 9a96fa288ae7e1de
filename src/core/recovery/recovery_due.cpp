#include "core/recovery/recovery_due.h"

#include <algorithm>
#include <array>

#include "core/recovery/to_come.h"

namespace mfi::core {
namespace {

constexpr std::array<std::int64_t, 3> kPauses{5 * kMinute, 15 * kMinute, 45 * kMinute};
constexpr std::int64_t kLookAgain = kHour;

/// When it may be tried again.
UtcSeconds After(const FailedAttempts& failures, UtcSeconds now) {
  if (failures.count == 0 || IsToCome(failures.last, now)) return 0;
  const auto index = static_cast<std::size_t>(failures.count - 1);
  return failures.last + (index < kPauses.size() ? kPauses.at(index) : kHour);
}

/// Whether the last time of a schedule has passed without its work, of which the newest began at `began`.
bool Missed(const DueTimes& times, std::optional<UtcSeconds> began) {
  return times.last && (!began || *began < *times.last);
}

BaseKind Wanted(const DueInput& input) {
  std::optional<UtcSeconds> full;
  std::optional<UtcSeconds> any;
  for (const BaseRecord& base : input.situation.bases) {
    if (IsToCome(base.started_at, input.now)) continue;
    any = std::max(any.value_or(base.started_at), base.started_at);
    if (base.full) full = std::max(full.value_or(base.started_at), base.started_at);
  }
  if (Missed(input.full, full)) return BaseKind::kFull;
  return Missed(input.incremental, any) ? BaseKind::kIncremental : BaseKind::kNone;
}

/// Each night, also when no base has come about, and after each first base of a chain: a chain counts when it was
/// drilled.
bool WantsDrill(const DueInput& input) {
  const BaseRecord* newest = NewestBase(input.situation.bases);
  if (newest == nullptr) return false;
  std::optional<UtcSeconds> began;
  bool this_one = false;
  for (const DrillRecord& drill : input.drills) {
    if (!drill.error.empty()) continue;
    if (drill.base == newest->id) this_one = true;
    if (!IsToCome(drill.started_at, input.now)) began = std::max(began.value_or(drill.started_at), drill.started_at);
  }
  return !this_one || Missed(input.incremental, began);
}

void Sooner(UtcSeconds& at, const std::optional<UtcSeconds>& other, UtcSeconds now) {
  if (other && *other > now) at = std::min(at, *other);
}

}  // namespace

RecoveryDue NextRecoveryWork(const DueInput& input) {
  RecoveryDue due{.look_again = input.now + kLookAgain};
  Sooner(due.look_again, input.full.next, input.now);
  Sooner(due.look_again, input.incremental.next, input.now);
  const BasePlan plan = PlanBase(input.situation, Wanted(input));
  if (plan.kind != BaseKind::kNone) {
    const UtcSeconds at = After(input.base_failures, input.now);
    if (at <= input.now) {
      due.work = plan.kind == BaseKind::kFull ? RecoveryWork::kFull : RecoveryWork::kIncremental;
      return due;
    }
    Sooner(due.look_again, at, input.now);
  }
  if (WantsDrill(input)) {
    const UtcSeconds at = After(input.drill_failures, input.now);
    if (at <= input.now) {
      due.work = RecoveryWork::kDrill;
    } else {
      Sooner(due.look_again, at, input.now);
    }
  }
  return due;
}

}  // namespace mfi::core
