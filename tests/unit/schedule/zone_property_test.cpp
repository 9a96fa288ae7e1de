// Ten cron texts in every zone of the system, against a clock that is walked minute by minute.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/schedule/schedule.h"
#include "support.h"
#include "zoneinfo.h"

namespace {

using mfi::core::Cron;
using mfi::core::kDay;
using mfi::core::kHour;
using mfi::core::kMinute;
using mfi::core::LocalMinute;
using mfi::core::Schedule;
using mfi::core::Slot;
using mfi::core::UtcSeconds;
using mfi::test::NamedZone;
using mfi::test::TransitionZone;
using mfi::test::Utc;

constexpr std::int64_t kAround = 48 * kHour;

struct Civil {
  int year, month, day, weekday, hour, minute;
};

Civil CivilOf(LocalMinute local) {
  const std::chrono::sys_days date =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_time<std::chrono::minutes>{std::chrono::minutes(local)});
  const std::chrono::year_month_day ymd(date);
  const int minute_of_day = static_cast<int>(local - date.time_since_epoch().count() * 24 * 60);
  return {static_cast<int>(ymd.year()),
          static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day())),
          static_cast<int>(std::chrono::weekday(date).c_encoding()),
          minute_of_day / 60,
          minute_of_day % 60};
}

std::string Key(LocalMinute local) {
  const Civil c = CivilOf(local);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d", c.year, c.month, c.day, c.hour, c.minute);
  return text.data();
}

std::string KeyWithOffset(LocalMinute local, int offset) {
  std::array<char, 16> text{};
  const int minutes = std::abs(offset) / 60;
  std::snprintf(text.data(), text.size(), "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
  return Key(local) + text.data();
}

/// A cron text and what it means, written out by hand.
struct Text {
  const char* cron;
  bool elapsed;
  bool daily;
  bool (*matches)(const Civil&);
};

bool OneOf(int value, std::initializer_list<int> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

const std::vector<Text>& Texts() {
  static const std::vector<Text> texts = {
      {"0 2 * * *", false, true, [](const Civil& c) { return c.hour == 2 && c.minute == 0; }},
      {"30 2 * * *", false, true, [](const Civil& c) { return c.hour == 2 && c.minute == 30; }},
      {"@daily", false, true, [](const Civil& c) { return c.hour == 0 && c.minute == 0; }},
      {"45 23 * 3-4,9-11 *", false, false,
       [](const Civil& c) {
         return c.hour == 23 && c.minute == 45 && OneOf(c.month, {3, 4, 9, 10, 11});
       }},
      {"15 1,2,3 * * *", false, false,
       [](const Civil& c) {
         return OneOf(c.hour, {1, 2, 3}) && c.minute == 15;
       }},
      {"0 3 * * sun", false, false, [](const Civil& c) { return c.hour == 3 && c.minute == 0 && c.weekday == 0; }},
      {"30 0 1,15 * mon", false, false,
       [](const Civil& c) { return c.hour == 0 && c.minute == 30 && (c.day == 1 || c.day == 15 || c.weekday == 1); }},
      {"20-50/10 0-5 * * 1-5", false, false,
       [](const Civil& c) {
         return c.hour <= 5 && OneOf(c.minute, {20, 30, 40, 50}) && c.weekday >= 1 && c.weekday <= 5;
       }},
      {"*/15 * * * *", true, false, [](const Civil& c) { return c.minute % 15 == 0; }},
      {"0 */2 * * *", true, false, [](const Civil& c) { return c.minute == 0 && c.hour % 2 == 0; }},
  };
  return texts;
}

struct Window {
  UtcSeconds begin;
  UtcSeconds end;
};

/// 48 hours around each transition in [from, to), those that touch joined.
std::vector<Window> WindowsAround(const TransitionZone& zone, UtcSeconds from, UtcSeconds to) {
  std::vector<Window> windows;
  for (const TransitionZone::Transition& transition : zone.transitions()) {
    if (transition.at < from || transition.at >= to) continue;
    const Window window{transition.at - kAround, transition.at + kAround};
    if (!windows.empty() && window.begin <= windows.back().end) {
      windows.back().end = window.end;
    } else {
      windows.push_back(window);
    }
  }
  return windows;
}

/// What a wall clock shows in a window, minute by minute, and what each text makes of it.
class SlowClock {
 public:
  SlowClock(const TransitionZone& zone, const Window& window) : begin_(window.begin) {
    for (UtcSeconds at = window.begin; at < window.end; at += kMinute) {
      const int offset = zone.OffsetAt(at);
      EXPECT_EQ((at + offset) % kMinute, 0) << "the reference knows whole minutes only";
      ticks_.push_back({(at + offset) / kMinute, offset});
      const std::int64_t date = ticks_.back().local / (24 * 60);
      if (dates_.empty() || *dates_.rbegin() != date) dates_.insert(date);
    }
    const auto [least, greatest] = std::minmax_element(ticks_.begin(), ticks_.end(),
                                                       [](const Tick& a, const Tick& b) { return a.local < b.local; });
    first_local_ = least->local;
    for (LocalMinute local = least->local; local <= greatest->local; ++local) civil_.push_back(CivilOf(local));
  }

  std::vector<Slot> SlotsOf(const Text& text) const { return text.elapsed ? Elapsed(text) : Fixed(text); }

 private:
  struct Tick {
    LocalMinute local;
    int offset;
  };

  std::size_t IndexOf(LocalMinute local) const { return static_cast<std::size_t>(local - first_local_); }
  UtcSeconds At(std::size_t tick) const { return begin_ + static_cast<UtcSeconds>(tick) * kMinute; }

  std::vector<Slot> Elapsed(const Text& text) const {
    std::vector<Slot> slots;
    for (std::size_t i = 0; i < ticks_.size(); ++i) {
      const auto [local, offset] = ticks_[i];
      if (text.matches(civil_[IndexOf(local)])) slots.push_back({At(i), KeyWithOffset(local, offset)});
    }
    return slots;
  }

  /// Each local minute counts when the clock first shows it or jumps over it, unless its whole date is never shown.
  std::vector<Slot> Fixed(const Text& text) const {
    std::vector<Slot> slots;
    std::vector<bool> passed(civil_.size());
    LocalMinute previous = ticks_[0].local - 1;
    for (std::size_t i = 0; i < ticks_.size(); ++i) {
      const LocalMinute now = ticks_[i].local;
      bool fired = false;
      for (LocalMinute local = std::min(previous + 1, now); local <= now; ++local) {
        if (passed[IndexOf(local)]) continue;
        passed[IndexOf(local)] = true;
        if (fired || !text.matches(civil_[IndexOf(local)]) || !dates_.contains(local / (24 * 60))) continue;
        slots.push_back({At(i), Key(local)});
        fired = true;
      }
      previous = now;
    }
    return slots;
  }

  UtcSeconds begin_;
  std::vector<Tick> ticks_;
  std::set<std::int64_t> dates_;
  LocalMinute first_local_ = 0;
  std::vector<Civil> civil_;
};

/// The chain of slots in the window, and what is next and last at instants all over it.
void ExpectAsTheSlowClock(const Schedule& schedule, const std::vector<Slot>& expected, const Window& window) {
  std::vector<Slot> slots;
  for (auto slot = schedule.NextAfter(window.begin - 1); slot && slot->run_at < window.end;
       slot = schedule.NextAfter(slot->run_at)) {
    ASSERT_TRUE(slots.empty() || slot->run_at > slots.back().run_at);
    ASSERT_EQ(schedule.LastAtOrBefore(slot->run_at), slot);
    slots.push_back(*slot);
  }
  ASSERT_EQ(slots, expected);

  auto next = expected.begin();
  for (UtcSeconds at = window.begin; at < window.end; at += 47 * kMinute + 13) {
    while (next != expected.end() && next->run_at <= at) ++next;
    if (next != expected.end()) {
      ASSERT_EQ(schedule.NextAfter(at), *next) << "at " << at;
    }
    if (next != expected.begin()) {
      ASSERT_EQ(schedule.LastAtOrBefore(at), *std::prev(next)) << "at " << at;
    }
  }
}

/// More than 24 hours away from transitions a daily schedule has one run on each local date, at its nominal time.
void ExpectOneRunPerDay(const NamedZone& named, const Schedule& schedule, const std::vector<Window>& windows,
                        UtcSeconds from, UtcSeconds to) {
  auto window = windows.begin();
  std::optional<std::int64_t> previous_date;
  UtcSeconds previous_run = from;
  for (auto slot = schedule.NextAfter(from); slot && slot->run_at < to; slot = schedule.NextAfter(slot->run_at)) {
    ASSERT_GT(slot->run_at, previous_run);
    previous_run = slot->run_at;
    while (window != windows.end() && window->end - kDay <= slot->run_at) ++window;
    if (window != windows.end() && slot->run_at >= window->begin + kDay) {
      previous_date.reset();
      continue;
    }
    const LocalMinute local = (slot->run_at + named.zone.OffsetAt(slot->run_at)) / kMinute;
    ASSERT_EQ(Key(local), slot->key);
    const std::int64_t date = local / (24 * 60);
    if (previous_date) {
      ASSERT_EQ(date, *previous_date + 1) << slot->key;
    }
    previous_date = date;
  }
}

/// What of a zone's clock matters from `from` to `to`; many zones differ only in their past.
std::vector<std::int64_t> ClockBetween(const TransitionZone& zone, UtcSeconds from, UtcSeconds to) {
  std::vector<std::int64_t> clock = {zone.OffsetAt(from)};
  for (const TransitionZone::Transition& transition : zone.transitions()) {
    if (transition.at > from && transition.at < to) clock.insert(clock.end(), {transition.at, transition.offset});
  }
  return clock;
}

void CheckEveryZone(UtcSeconds from, UtcSeconds to) {
  const std::vector<NamedZone> zones = mfi::test::LoadAllZones();
  ASSERT_GT(zones.size(), 300U);
  std::set<std::vector<std::int64_t>> clocks;
  for (const NamedZone& named : zones) {
    if (!clocks.insert(ClockBetween(named.zone, from - 365 * kDay, to + 365 * kDay)).second) continue;
    const std::vector<Window> windows = WindowsAround(named.zone, from, to);
    std::vector<Schedule> schedules;
    for (const Text& text : Texts()) schedules.emplace_back(Cron::Parse(text.cron), named.zone);
    for (const Window& window : windows) {
      const SlowClock clock(named.zone, window);
      for (std::size_t i = 0; i < schedules.size(); ++i) {
        SCOPED_TRACE(named.name + ", " + Texts()[i].cron);
        ExpectAsTheSlowClock(schedules[i], clock.SlotsOf(Texts()[i]), window);
      }
      if (testing::Test::HasFailure()) return;
    }
    for (std::size_t i = 0; i < schedules.size(); ++i) {
      SCOPED_TRACE(named.name + ", " + Texts()[i].cron);
      if (Texts()[i].daily) ExpectOneRunPerDay(named, schedules[i], windows, from, to);
    }
    if (testing::Test::HasFailure()) return;
  }
}

// Two years, ten in the long form.
TEST(ScheduleInEveryZone, EqualsTheSlowClockFrom2010) {
  CheckEveryZone(Utc("2010-01-01 00:00:00"),
                 Utc(mfi::test::IsLongForm() ? "2020-01-01 00:00:00" : "2012-01-01 00:00:00"));
}

TEST(ScheduleInEveryZone, EqualsTheSlowClockFrom2026) {
  CheckEveryZone(Utc("2026-01-01 00:00:00"),
                 Utc(mfi::test::IsLongForm() ? "2036-01-01 00:00:00" : "2028-01-01 00:00:00"));
}

}  // namespace
