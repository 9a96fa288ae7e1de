#include "core/recovery/recovery_times.h"

#include <algorithm>
#include <functional>

namespace mfi::core {
namespace {

constexpr std::int64_t kDrillStale = 2 * kDay;

std::optional<Schedule> Parse(std::string_view text, const ZoneRule& zone) {
  if (text.empty()) return std::nullopt;
  return Schedule(Cron::Parse(text), zone);
}

DueTimes TimesOf(const std::optional<Schedule>& schedule, UtcSeconds now) {
  DueTimes times;
  if (!schedule) return times;
  if (const auto slot = schedule->LastAtOrBefore(now)) times.last = slot->run_at;
  if (const auto slot = schedule->NextAfter(now)) times.next = slot->run_at;
  return times;
}

void AddLastTwo(const std::optional<Schedule>& schedule, UtcSeconds now, std::vector<UtcSeconds>& times) {
  if (!schedule) return;
  const auto last = schedule->LastAtOrBefore(now);
  if (!last) return;
  times.push_back(last->run_at);
  if (const auto before = schedule->LastAtOrBefore(last->run_at - 1)) times.push_back(before->run_at);
}

}  // namespace

RecoveryTimes::RecoveryTimes(std::string_view full, std::string_view incremental, const ZoneRule& zone)
    : full_(Parse(full, zone)), incremental_(Parse(incremental, zone)) {}

DueTimes RecoveryTimes::Full(UtcSeconds now) const { return TimesOf(full_, now); }

DueTimes RecoveryTimes::Incremental(UtcSeconds now) const { return TimesOf(incremental_, now); }

std::optional<UtcSeconds> RecoveryTimes::BaseDue(UtcSeconds now) const {
  std::vector<UtcSeconds> times;
  AddLastTwo(full_, now, times);
  AddLastTwo(incremental_, now, times);
  std::sort(times.begin(), times.end(), std::greater<>());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  if (times.size() < 2) return std::nullopt;
  return times[1];
}

std::optional<UtcSeconds> RecoveryTimes::DrillDue(UtcSeconds now) const {
  return TimesOf(incremental_, now - kDrillStale).last;
}

}  // namespace mfi::core
