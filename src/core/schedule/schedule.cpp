#include "core/schedule/schedule.h"

#include <algorithm>
#include <boost/date_time/gregorian/gregorian_types.hpp>
#include <cstdlib>
#include <limits>

namespace mfi::core {

namespace {

namespace gregorian = boost::gregorian;

constexpr UtcSeconds kEarliest = -11'676'096'000;  // 1600-01-01
constexpr UtcSeconds kLatest = 221'845'392'000;    // 9000-01-01
constexpr std::int64_t kMinutesPerDay = kDay / kMinute;
constexpr std::int64_t kMaxOffset = 7 * kDay;  // a POSIX rule goes up to 167 hours
constexpr std::int64_t kLookBack = 64 * kDay;  // at a time, to find the last slot of elapsed time

std::int64_t FloorDivide(std::int64_t value, std::int64_t divisor) {
  return (value >= 0 ? value : value - (divisor - 1)) / divisor;
}

UtcSeconds FloorToMinute(UtcSeconds at) { return FloorDivide(at, kMinute) * kMinute; }
UtcSeconds CeilToMinute(UtcSeconds at) { return FloorToMinute(at + kMinute - 1); }

std::string TwoDigits(std::int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

std::string NominalTime(LocalMinute minute) {
  const std::int64_t day = FloorDivide(minute, kMinutesPerDay);
  const std::int64_t time = minute - day * kMinutesPerDay;
  const auto date = (gregorian::date(1970, 1, 1) + gregorian::days(day)).year_month_day();
  return std::to_string(date.year) + "-" + TwoDigits(date.month) + "-" + TwoDigits(date.day) + "T" +
         TwoDigits(time / 60) + ":" + TwoDigits(time % 60);
}

std::string OffsetText(int offset) {
  const int seconds = std::abs(offset);
  std::string text = (offset < 0 ? "-" : "+") + TwoDigits(seconds / 3600) + ":" + TwoDigits(seconds / 60 % 60);
  if (seconds % 60 != 0) text += ":" + TwoDigits(seconds % 60);
  return text;
}

/// Whole UTC minutes under one offset, at least one.
struct Stretch {
  UtcSeconds first;
  UtcSeconds last;
  int offset;

  LocalMinute FirstLocal() const { return FloorDivide(first + offset, kMinute); }
  LocalMinute LastLocal() const { return FloorDivide(last + offset, kMinute); }
  Slot SlotAt(LocalMinute local) const {
    return {CeilToMinute(local * kMinute - offset), NominalTime(local) + OffsetText(offset)};
  }
};

UtcSeconds NextTransitionOrNever(const ZoneRule& zone, UtcSeconds at) {
  return zone.NextTransition(at).value_or(std::numeric_limits<UtcSeconds>::max());
}

Stretch StretchFrom(const ZoneRule& zone, UtcSeconds first, UtcSeconds until) {
  const UtcSeconds transition = NextTransitionOrNever(zone, first);
  return {first, FloorToMinute(std::min(transition - 1, until)), zone.OffsetAt(first)};
}

/// The latest local second that the clock has shown up to `t`. In an overlap this stands still while the wall clock
/// repeats itself, which is what makes a local slot run once.
std::int64_t LatestLocal(const ZoneRule& zone, UtcSeconds t) {
  std::int64_t latest = std::numeric_limits<std::int64_t>::min();
  for (UtcSeconds from = t - 2 * kMaxOffset; from <= t;) {
    const UtcSeconds next = NextTransitionOrNever(zone, from);
    latest = std::max(latest, std::min(next - 1, t) + zone.OffsetAt(from));
    from = next;
  }
  return latest;
}

/// The first instant at which the clock shows `local` or later: in a gap the first instant after it.
UtcSeconds FirstInstant(const ZoneRule& zone, LocalMinute local) {
  UtcSeconds from = local * kMinute - kMaxOffset;
  for (;;) {
    const UtcSeconds at = std::max(from, local * kMinute - zone.OffsetAt(from));
    const UtcSeconds next = NextTransitionOrNever(zone, from);
    if (at < next) return at;
    from = next;
  }
}

LocalMinute MidnightOf(LocalMinute local) { return FloorDivide(local, kMinutesPerDay) * kMinutesPerDay; }

/// False when the zone skips the whole date of `local`.
bool DateExists(const ZoneRule& zone, LocalMinute local, UtcSeconds first_instant) {
  if (first_instant + zone.OffsetAt(first_instant) == local * kMinute) return true;
  const LocalMinute midnight = MidnightOf(local);
  return FirstInstant(zone, midnight) != FirstInstant(zone, midnight + kMinutesPerDay);
}

}  // namespace

std::optional<Slot> Schedule::NextAfter(UtcSeconds t) const {
  if (t < kEarliest || t > kLatest) return std::nullopt;
  return cron_.hour_or_minute_wildcard() ? NextElapsed(t) : NextFixed(t);
}

std::optional<Slot> Schedule::LastAtOrBefore(UtcSeconds t) const {
  if (t < kEarliest || t > kLatest) return std::nullopt;
  return cron_.hour_or_minute_wildcard() ? LastElapsed(t) : LastFixed(t);
}

std::optional<Slot> Schedule::NextFixed(UtcSeconds t) const {
  LocalMinute from = FloorDivide(LatestLocal(*zone_, t), kMinute) + 1;
  const LocalMinute until = from + kHorizon / kMinute;
  while (const std::optional<LocalMinute> local = cron_.FirstMatch(from, until)) {
    const UtcSeconds run_at = FirstInstant(*zone_, *local);
    if (DateExists(*zone_, *local, run_at)) return Slot{run_at, NominalTime(*local)};
    from = MidnightOf(*local) + kMinutesPerDay;
  }
  return std::nullopt;
}

std::optional<Slot> Schedule::LastFixed(UtcSeconds t) const {
  LocalMinute until = FloorDivide(LatestLocal(*zone_, t), kMinute);
  const LocalMinute from = until - kHorizon / kMinute;
  while (const std::optional<LocalMinute> local = cron_.LastMatch(from, until)) {
    const UtcSeconds run_at = FirstInstant(*zone_, *local);
    if (DateExists(*zone_, *local, run_at)) return NextFixed(run_at - 1);
    until = MidnightOf(*local) - 1;
  }
  return std::nullopt;
}

std::optional<Slot> Schedule::NextElapsed(UtcSeconds t) const {
  const UtcSeconds until = t + kHorizon;
  for (UtcSeconds from = FloorToMinute(t) + kMinute; from <= until;) {
    const Stretch stretch = StretchFrom(*zone_, from, until);
    const std::optional<LocalMinute> local = cron_.FirstMatch(stretch.FirstLocal(), stretch.LastLocal());
    if (local) return stretch.SlotAt(*local);
    from = stretch.last + kMinute;
  }
  return std::nullopt;
}

std::optional<Slot> Schedule::LastElapsed(UtcSeconds t) const {
  for (UtcSeconds until = FloorToMinute(t); until > t - kHorizon; until -= kLookBack) {
    std::optional<Slot> last;
    for (UtcSeconds from = until - kLookBack + kMinute; from <= until;) {
      const Stretch stretch = StretchFrom(*zone_, from, until);
      const std::optional<LocalMinute> local = cron_.LastMatch(stretch.FirstLocal(), stretch.LastLocal());
      if (local) last = stretch.SlotAt(*local);
      from = stretch.last + kMinute;
    }
    if (last) return last;
  }
  return std::nullopt;
}

}  // namespace mfi::core
