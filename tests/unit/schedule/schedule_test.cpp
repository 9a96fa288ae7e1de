#include "core/schedule/schedule.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "zoneinfo.h"

namespace {

using mfi::core::Cron;
using mfi::core::kDay;
using mfi::core::kHour;
using mfi::core::Schedule;
using mfi::core::Slot;
using mfi::core::UtcSeconds;
using mfi::test::LoadZone;
using mfi::test::TransitionZone;
using mfi::test::Utc;

/// The slots of a text in (after, until], and that LastAtOrBefore agrees on each of them.
std::vector<Slot> Slots(const TransitionZone& zone, const std::string& text, UtcSeconds after, UtcSeconds until) {
  const Schedule schedule(Cron::Parse(text), zone);
  std::vector<Slot> slots;
  for (auto slot = schedule.NextAfter(after); slot && slot->run_at <= until; slot = schedule.NextAfter(slot->run_at)) {
    EXPECT_EQ(schedule.LastAtOrBefore(slot->run_at), slot);
    if (!slots.empty()) {
      EXPECT_EQ(schedule.LastAtOrBefore(slot->run_at - 1), slots.back());
    }
    slots.push_back(*slot);
  }
  return slots;
}

std::vector<Slot> Slots(const std::string& zone, const std::string& text, const std::string& after,
                        const std::string& until) {
  return Slots(LoadZone(zone), text, Utc(after), Utc(until));
}

Slot At(const std::string& utc, const std::string& key) { return {Utc(utc), key}; }

using List = std::vector<Slot>;

TEST(ScheduleFixed, SpringGapRunsAtTheFirstInstantAfterIt) {
  EXPECT_EQ(Slots("Europe/Berlin", "30 2 * * *", "2026-03-28 12:00:00", "2026-03-30 12:00:00"),
            (List{At("2026-03-29 01:00:00", "2026-03-29T02:30"), At("2026-03-30 00:30:00", "2026-03-30T02:30")}));
}

TEST(ScheduleFixed, AutumnOverlapRunsAtTheFirstOccurrenceOnly) {
  EXPECT_EQ(Slots("Europe/Berlin", "30 2 * * *", "2026-10-24 12:00:00", "2026-10-26 12:00:00"),
            (List{At("2026-10-25 00:30:00", "2026-10-25T02:30"), At("2026-10-26 01:30:00", "2026-10-26T02:30")}));
}

TEST(ScheduleFixed, TheSecondPassOfAnOverlapIsAfterTheSlot) {
  const TransitionZone berlin = LoadZone("Europe/Berlin");
  const Schedule schedule(Cron::Parse("30 2 * * *"), berlin);
  for (const char* second_pass : {"2026-10-25 01:00:00", "2026-10-25 01:30:00", "2026-10-25 01:59:59"}) {
    EXPECT_EQ(schedule.NextAfter(Utc(second_pass)), At("2026-10-26 01:30:00", "2026-10-26T02:30"));
    EXPECT_EQ(schedule.LastAtOrBefore(Utc(second_pass)), At("2026-10-25 00:30:00", "2026-10-25T02:30"));
  }
}

TEST(ScheduleFixed, SlotsThatFallOnOneInstantAreOneRun) {
  EXPECT_EQ(Slots("Europe/Berlin", "0,30 2,3 * * *", "2026-03-28 12:00:00", "2026-03-29 12:00:00"),
            (List{At("2026-03-29 01:00:00", "2026-03-29T02:00"), At("2026-03-29 01:30:00", "2026-03-29T03:30")}));
}

TEST(ScheduleFixed, SlotsInAnOverlapStayInOrder) {
  EXPECT_EQ(Slots("Europe/Berlin", "0,30 2,3 * * *", "2026-10-24 12:00:00", "2026-10-25 12:00:00"),
            (List{At("2026-10-25 00:00:00", "2026-10-25T02:00"), At("2026-10-25 00:30:00", "2026-10-25T02:30"),
                  At("2026-10-25 02:00:00", "2026-10-25T03:00"), At("2026-10-25 02:30:00", "2026-10-25T03:30")}));
}

TEST(ScheduleFixed, MidnightInTheGapStillRunsOnThatDate) {
  // Havana: 00:00 to 01:00 is skipped.
  EXPECT_EQ(Slots("America/Havana", "@daily", "2026-03-07 12:00:00", "2026-03-09 12:00:00"),
            (List{At("2026-03-08 05:00:00", "2026-03-08T00:00"), At("2026-03-09 04:00:00", "2026-03-09T00:00")}));
}

TEST(ScheduleFixed, MidnightThatComesTwiceRunsOnce) {
  // Havana: 01:00 becomes 00:00 again.
  EXPECT_EQ(Slots("America/Havana", "@daily", "2026-10-31 12:00:00", "2026-11-02 12:00:00"),
            (List{At("2026-11-01 04:00:00", "2026-11-01T00:00"), At("2026-11-02 05:00:00", "2026-11-02T00:00")}));
}

TEST(ScheduleFixed, LordHoweShiftsHalfAnHour) {
  EXPECT_EQ(Slots("Australia/Lord_Howe", "15 2 * * *", "2026-10-03 00:00:00", "2026-10-04 00:00:00"),
            (List{At("2026-10-03 15:30:00", "2026-10-04T02:15")}));
  EXPECT_EQ(Slots("Australia/Lord_Howe", "45 1 * * *", "2026-04-04 00:00:00", "2026-04-05 00:00:00"),
            (List{At("2026-04-04 14:45:00", "2026-04-05T01:45")}));
}

TEST(ScheduleFixed, QuarterHourOffsets) {
  EXPECT_EQ(Slots("Asia/Kathmandu", "0 2 * * *", "2026-01-01 00:00:00", "2026-01-02 00:00:00"),
            (List{At("2026-01-01 20:15:00", "2026-01-02T02:00")}));
  // Chatham: 02:45 to 03:45 is skipped.
  EXPECT_EQ(Slots("Pacific/Chatham", "0 3 * * *", "2026-09-26 00:00:00", "2026-09-27 00:00:00"),
            (List{At("2026-09-26 14:00:00", "2026-09-27T03:00")}));
}

TEST(ScheduleFixed, ADateThatDoesNotExistHasNoRun) {
  EXPECT_EQ(Slots("Pacific/Apia", "0 2 * * *", "2011-12-29 00:00:00", "2011-12-31 00:00:00"),
            (List{At("2011-12-29 12:00:00", "2011-12-29T02:00"), At("2011-12-30 12:00:00", "2011-12-31T02:00")}));
  EXPECT_EQ(Slots("Pacific/Apia", "@daily", "2011-12-29 00:00:00", "2011-12-31 00:00:00"),
            (List{At("2011-12-29 10:00:00", "2011-12-29T00:00"), At("2011-12-30 10:00:00", "2011-12-31T00:00")}));
  EXPECT_EQ(Slots("Pacific/Kwajalein", "0 12 21 aug *", "1992-12-31 00:00:00", "1995-01-01 00:00:00"),
            (List{At("1994-08-21 00:00:00", "1994-08-21T12:00")}));
}

TEST(ScheduleFixed, LastSlotBeforeASkippedDateIsOnTheDateBefore) {
  const TransitionZone apia = LoadZone("Pacific/Apia");
  const Schedule schedule(Cron::Parse("0 2 30 12 *"), apia);
  EXPECT_EQ(schedule.LastAtOrBefore(Utc("2012-01-05 00:00:00")), At("2010-12-30 12:00:00", "2010-12-30T02:00"));
  EXPECT_EQ(schedule.NextAfter(Utc("2011-01-05 00:00:00")), At("2012-12-29 12:00:00", "2012-12-30T02:00"));
}

TEST(ScheduleFixed, ADayThatIsRepeatedRunsOnce) {
  // Kwajalein went from UTC+11 to UTC-12 on 1969-09-30: the clock fell back by 23 hours.
  EXPECT_EQ(Slots("Pacific/Kwajalein", "0 2 * * *", "1969-09-28 20:00:00", "1969-10-01 20:00:00"),
            (List{At("1969-09-29 15:00:00", "1969-09-30T02:00"), At("1969-10-01 14:00:00", "1969-10-01T02:00")}));
}

TEST(ScheduleFixed, OffsetsWithSeconds) {
  // Monrovia was 44 minutes 30 seconds behind until 1972-01-07, when 00:00 became 00:44:30.
  EXPECT_EQ(Slots("Africa/Monrovia", "15 0 * * *", "1972-01-05 12:00:00", "1972-01-08 12:00:00"),
            (List{At("1972-01-06 00:59:30", "1972-01-06T00:15"), At("1972-01-07 00:44:30", "1972-01-07T00:15"),
                  At("1972-01-08 00:15:00", "1972-01-08T00:15")}));
}

TEST(ScheduleFixed, SeveralTransitionsWithinTwoDays) {
  const UtcSeconds noon = Utc("2026-06-10 12:00:00");
  // 12:00 becomes 14:00, an hour later 15:00 becomes 12:30, ten hours later 22:30 becomes 23:30.
  const TransitionZone zone(0, {{noon, 7200}, {noon + kHour, -1800}, {noon + 11 * kHour, 1800}});
  EXPECT_EQ(Slots(zone, "45 12,13,14,15,22 * * *", noon - kHour, noon + kDay / 2),
            (List{{noon, "2026-06-10T12:45"},
                  {noon + kHour * 3 / 4, "2026-06-10T14:45"},
                  {noon + kHour * 17 / 4, "2026-06-10T15:45"},
                  {noon + 11 * kHour, "2026-06-10T22:45"}}));
}

TEST(ScheduleElapsed, BothPassesOfAnOverlapAreSlots) {
  EXPECT_EQ(
      Slots("Europe/Berlin", "30 * * * *", "2026-10-24 23:45:00", "2026-10-25 02:00:00"),
      (List{At("2026-10-25 00:30:00", "2026-10-25T02:30+02:00"), At("2026-10-25 01:30:00", "2026-10-25T02:30+01:00")}));
}

TEST(ScheduleElapsed, NothingRunsForAGap) {
  EXPECT_EQ(
      Slots("Europe/Berlin", "0 * * * *", "2026-03-28 23:30:00", "2026-03-29 01:30:00"),
      (List{At("2026-03-29 00:00:00", "2026-03-29T01:00+01:00"), At("2026-03-29 01:00:00", "2026-03-29T03:00+02:00")}));
  EXPECT_EQ(Slots("Europe/Berlin", "*/30 2 * * *", "2026-03-28 12:00:00", "2026-03-29 12:00:00"), List{});
}

TEST(ScheduleElapsed, KeysCarryOddOffsets) {
  EXPECT_EQ(Slots("America/St_Johns", "0 * * * *", "2026-01-01 00:00:00", "2026-01-01 01:00:00"),
            (List{At("2026-01-01 00:30:00", "2025-12-31T21:00-03:30")}));
  EXPECT_EQ(Slots("Africa/Monrovia", "* * * * *", "1972-01-07 00:43:00", "1972-01-07 00:45:00"),
            (List{At("1972-01-07 00:44:00", "1972-01-06T23:59-00:44:30"),
                  At("1972-01-07 00:45:00", "1972-01-07T00:45+00:00")}));
}

TEST(ScheduleElapsed, FindsTheLastSlotYearsBack) {
  const TransitionZone berlin = LoadZone("Europe/Berlin");
  const Schedule schedule(Cron::Parse("*/30 23 29 2 *"), berlin);
  const Slot last = At("2024-02-29 22:30:00", "2024-02-29T23:30+01:00");
  EXPECT_EQ(schedule.LastAtOrBefore(Utc("2028-02-29 21:59:59")), last);
  EXPECT_EQ(schedule.LastAtOrBefore(Utc("2024-02-29 22:30:00")), last);
  EXPECT_EQ(schedule.NextAfter(Utc("2024-02-29 22:30:00")), At("2028-02-29 22:00:00", "2028-02-29T23:00+01:00"));
}

TEST(Schedule, FindsTheRarestSlots) {
  const TransitionZone utc(0);
  const Schedule schedule(Cron::Parse("0 0 29 2 */7"), utc);
  // 29 February on a Sunday: 2088 and then, as 2100 is no leap year, 2128.
  EXPECT_EQ(schedule.NextAfter(Utc("2088-03-01 00:00:00")), At("2128-02-29 00:00:00", "2128-02-29T00:00"));
  EXPECT_EQ(schedule.LastAtOrBefore(Utc("2128-02-28 00:00:00")), At("2088-02-29 00:00:00", "2088-02-29T00:00"));
}

TEST(Schedule, EndsQuietlyOutsideTheCalendar) {
  const TransitionZone utc(0);
  for (const char* text : {"0 2 * * *", "0 * * * *"}) {
    const Schedule schedule(Cron::Parse(text), utc);
    for (UtcSeconds t : {std::numeric_limits<UtcSeconds>::min(), std::numeric_limits<UtcSeconds>::max()}) {
      EXPECT_EQ(schedule.NextAfter(t), std::nullopt);
      EXPECT_EQ(schedule.LastAtOrBefore(t), std::nullopt);
    }
  }
}

TEST(Schedule, EndsAtTheHorizonWhereTheDateNeverExists) {
  std::vector<TransitionZone::Transition> transitions;
  for (int year = 1970; year < 2080; ++year) {
    transitions.push_back({Utc(std::to_string(year) + "-07-01 00:00:00"), 0});
    transitions.push_back({Utc(std::to_string(year) + "-12-30 00:00:00"), 24 * 3600});
  }
  const TransitionZone skips_30_december(0, transitions);
  for (const char* text : {"0 2 30 12 *", "* 2 30 12 *"}) {
    const Schedule schedule(Cron::Parse(text), skips_30_december);
    EXPECT_EQ(schedule.NextAfter(Utc("2026-01-01 00:00:00")), std::nullopt);
    EXPECT_EQ(schedule.LastAtOrBefore(Utc("2026-01-01 00:00:00")), std::nullopt);
  }
}

}  // namespace
