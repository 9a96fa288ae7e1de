#include "core/schedule/planner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "zoneinfo.h"

namespace {

using mfi::core::Cron;
using mfi::core::DueRun;
using mfi::core::kDay;
using mfi::core::kHour;
using mfi::core::kMinute;
using mfi::core::MakePlan;
using mfi::core::ParseTrigger;
using mfi::core::PastRun;
using mfi::core::Plan;
using mfi::core::PlanInput;
using mfi::core::Schedule;
using mfi::core::ToString;
using mfi::core::Trigger;
using mfi::core::UtcSeconds;
using mfi::test::TransitionZone;
using mfi::test::Utc;

const char kNightly[] = "0 2 * * * UTC";

/// A server that has been up since the first of June at noon, with a run each night at 02:00 UTC.
class Planner : public testing::Test {
 protected:
  Planner() {
    input_.schedule = &nightly_;
    input_.schedule_id = kNightly;
    input_.watching_since = input_.server_start = Utc("2026-06-01 12:00:00");
  }

  /// A run that took a minute.
  PastRun& Add(Trigger trigger, const std::string& slot_key, const std::string& queued_at, bool succeeded,
               int attempt = 1) {
    PastRun run;
    run.trigger = trigger;
    run.slot_key = slot_key;
    run.schedule_id = kNightly;
    run.queued_at = Utc(queued_at);
    run.finished_at = run.queued_at + kMinute;
    run.succeeded = succeeded;
    run.server_start = input_.server_start;
    run.attempt = attempt;
    history_.push_back(run);
    return history_.back();
  }

  Plan PlanAt(const std::string& now) {
    input_.now = Utc(now);
    input_.history = history_;
    return MakePlan(input_);
  }

  void Restart(const std::string& at) { input_.watching_since = input_.server_start = Utc(at); }

  static DueRun Due(Trigger trigger, const std::string& key, int attempt = 1) { return {trigger, key, attempt}; }

  TransitionZone utc_{0};
  Schedule nightly_{Cron::Parse("0 2 * * *"), utc_};
  PlanInput input_;
  std::vector<PastRun> history_;
};

TEST(TriggerText, RoundTrips) {
  for (Trigger trigger : {Trigger::kSchedule, Trigger::kStart, Trigger::kManual, Trigger::kCatchUp, Trigger::kRetry}) {
    EXPECT_EQ(ParseTrigger(ToString(trigger)), trigger);
  }
  EXPECT_EQ(ToString(Trigger::kCatchUp), "catch-up");
  EXPECT_EQ(ParseTrigger("cron"), std::nullopt);
}

TEST_F(Planner, WaitsForTheSlotAndStartsItOnce) {
  Plan plan = PlanAt("2026-06-02 01:59:59");
  EXPECT_EQ(plan.due, std::nullopt);
  EXPECT_EQ(plan.next_run_at, Utc("2026-06-02 02:00:00"));
  EXPECT_EQ(plan.next_trigger, Trigger::kSchedule);

  plan = PlanAt("2026-06-02 02:00:00");
  EXPECT_EQ(plan.due, Due(Trigger::kSchedule, "2026-06-02T02:00"));
  EXPECT_EQ(plan.next_run_at, Utc("2026-06-03 02:00:00"));

  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", true);
  EXPECT_EQ(PlanAt("2026-06-02 02:00:00").due, std::nullopt);
  EXPECT_EQ(PlanAt("2026-06-03 02:00:00").due, Due(Trigger::kSchedule, "2026-06-03T02:00"));
}

TEST_F(Planner, CallsALateRunACatchUp) {
  EXPECT_EQ(PlanAt("2026-06-02 02:05:00").due, Due(Trigger::kSchedule, "2026-06-02T02:00"));
  EXPECT_EQ(PlanAt("2026-06-02 02:05:01").due, Due(Trigger::kCatchUp, "2026-06-02T02:00"));
}

TEST_F(Planner, StartsNothingWhileARunIsInProgress) {
  input_.run_in_progress = true;
  const Plan plan = PlanAt("2026-06-02 02:00:00");
  EXPECT_EQ(plan.due, std::nullopt);
  EXPECT_EQ(plan.next_run_at, Utc("2026-06-03 02:00:00"));
}

TEST_F(Planner, PlansNothingWithoutAScheduleButTheRunOnStart) {
  input_.schedule = nullptr;
  Plan plan = PlanAt("2026-06-02 02:00:00");
  EXPECT_EQ(plan.due, std::nullopt);
  EXPECT_EQ(plan.next_run_at, std::nullopt);
  EXPECT_EQ(plan.next_trigger, std::nullopt);
  input_.backup_on_start = true;
  EXPECT_EQ(PlanAt("2026-06-02 02:00:00").due, Due(Trigger::kStart, ""));
  Add(Trigger::kStart, "", "2026-06-02 02:00:00", false);
  plan = PlanAt("2026-06-02 02:01:00");
  EXPECT_EQ(plan.next_run_at, Utc("2026-06-02 02:06:00"));
  EXPECT_EQ(plan.next_trigger, Trigger::kRetry);
}

TEST_F(Planner, MissedSlotsWhileDownAreOneCatchUp) {
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", true);
  Restart("2026-06-06 09:00:00");
  EXPECT_EQ(PlanAt("2026-06-06 09:00:01").due, Due(Trigger::kCatchUp, "2026-06-06T02:00"));
  Add(Trigger::kCatchUp, "2026-06-06T02:00", "2026-06-06 09:00:01", true);
  EXPECT_EQ(PlanAt("2026-06-06 09:30:00").due, std::nullopt);
}

TEST_F(Planner, AManualRunShowsThatTheScheduleWasFollowed) {
  Add(Trigger::kManual, "", "2026-06-01 15:00:00", true);
  Restart("2026-06-06 09:00:00");
  EXPECT_EQ(PlanAt("2026-06-06 09:00:01").due, Due(Trigger::kCatchUp, "2026-06-06T02:00"));
}

TEST_F(Planner, ANewInstallationHasMissedNothing) {
  EXPECT_EQ(PlanAt("2026-06-01 12:00:00").due, std::nullopt);
  Add(Trigger::kStart, "", "2026-06-01 12:00:00", true);
  EXPECT_EQ(PlanAt("2026-06-01 12:10:00").due, std::nullopt);
}

TEST_F(Planner, AnotherScheduleHasMissedNothing) {
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", true);
  Add(Trigger::kSchedule, "2026-06-02T14:00", "2026-06-02 14:00:00", true).schedule_id = "0 14 * * * UTC";
  input_.watching_since = Utc("2026-06-10 10:00:00");
  EXPECT_EQ(PlanAt("2026-06-10 10:00:00").due, std::nullopt);
}

TEST_F(Planner, TheSameLocalTimeInANewZoneIsAnotherSlot) {
  PastRun& before = Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-01 21:00:00", true);
  before.schedule_id = "0 2 * * * Asia/Karachi";
  EXPECT_EQ(PlanAt("2026-06-02 02:00:00").due, Due(Trigger::kSchedule, "2026-06-02T02:00"));
}

TEST_F(Planner, AScheduleThatIsChangedAndChangedBackRunsNoSlotTwice) {
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", true).schedule_id = "0 2 * * 1-5 UTC";
  EXPECT_EQ(PlanAt("2026-06-02 02:01:00").due, std::nullopt);
}

TEST_F(Planner, AClockSetBackRunsNoSlotTwice) {
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", true);
  Add(Trigger::kSchedule, "2026-06-03T02:00", "2026-06-03 02:00:00", true);
  Plan plan = PlanAt("2026-06-02 23:00:00");
  EXPECT_EQ(plan.due, std::nullopt);
  EXPECT_EQ(plan.next_run_at, Utc("2026-06-04 02:00:00"));
  EXPECT_EQ(PlanAt("2026-06-03 02:00:00").due, std::nullopt);
  EXPECT_EQ(PlanAt("2026-06-04 02:00:00").due, Due(Trigger::kSchedule, "2026-06-04T02:00"));
}

TEST_F(Planner, AYearAheadAndBackDoesNotStopTheSchedule) {
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", true);
  EXPECT_EQ(PlanAt("2027-06-02 12:00:00").due, Due(Trigger::kCatchUp, "2027-06-02T02:00"));
  Add(Trigger::kCatchUp, "2027-06-02T02:00", "2027-06-02 12:00:00", true);
  EXPECT_EQ(PlanAt("2026-06-02 12:00:00").due, std::nullopt);
  EXPECT_EQ(PlanAt("2026-06-03 02:00:00").due, Due(Trigger::kSchedule, "2026-06-03T02:00"));
}

TEST_F(Planner, AServerInstalledWithItsClockAheadStartsOnTimeWhenTheClockIsRight) {
  Restart("2027-06-02 12:00:00");
  Add(Trigger::kStart, "", "2027-06-02 12:00:00", true);
  EXPECT_EQ(PlanAt("2026-06-02 12:00:00").due, std::nullopt);
  EXPECT_EQ(PlanAt("2026-06-03 02:00:00").due, Due(Trigger::kSchedule, "2026-06-03T02:00"));
}

TEST_F(Planner, RetriesAFailedSlotThreeTimesWithBackOff) {
  const std::string key = "2026-06-02T02:00";
  Add(Trigger::kSchedule, key, "2026-06-02 02:00:00", false);
  Plan plan = PlanAt("2026-06-02 02:05:59");
  EXPECT_EQ(plan.due, std::nullopt);
  EXPECT_EQ(plan.next_run_at, Utc("2026-06-02 02:06:00"));
  EXPECT_EQ(plan.next_trigger, Trigger::kRetry);
  EXPECT_EQ(PlanAt("2026-06-02 02:06:00").due, Due(Trigger::kRetry, key, 2));
  Add(Trigger::kRetry, key, "2026-06-02 02:06:00", false, 2);
  EXPECT_EQ(PlanAt("2026-06-02 02:21:59").due, std::nullopt);
  EXPECT_EQ(PlanAt("2026-06-02 02:22:00").due, Due(Trigger::kRetry, key, 3));
  Add(Trigger::kRetry, key, "2026-06-02 02:22:00", false, 3);
  EXPECT_EQ(PlanAt("2026-06-02 03:07:59").due, std::nullopt);
  EXPECT_EQ(PlanAt("2026-06-02 03:08:00").due, Due(Trigger::kRetry, key, 4));
  Add(Trigger::kRetry, key, "2026-06-02 03:08:00", false, 4);
  plan = PlanAt("2026-06-02 20:00:00");
  EXPECT_EQ(plan.due, std::nullopt);
  EXPECT_EQ(plan.next_trigger, Trigger::kSchedule);
  EXPECT_EQ(PlanAt("2026-06-03 02:00:00").due, Due(Trigger::kSchedule, "2026-06-03T02:00"));
}

TEST_F(Planner, ARetryThatSucceedsEndsTheRetries) {
  Add(Trigger::kCatchUp, "2026-06-02T02:00", "2026-06-02 09:00:00", false);
  Add(Trigger::kRetry, "2026-06-02T02:00", "2026-06-02 09:06:00", true, 2);
  EXPECT_EQ(PlanAt("2026-06-02 12:00:00").due, std::nullopt);
}

TEST_F(Planner, RetriesAnInterruptedRun) {
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", false).finished_at.reset();
  input_.run_in_progress = true;
  EXPECT_EQ(PlanAt("2026-06-02 02:10:00").next_trigger, Trigger::kSchedule);
  input_.run_in_progress = false;
  EXPECT_EQ(PlanAt("2026-06-02 02:10:00").due, Due(Trigger::kRetry, "2026-06-02T02:00", 2));
}

TEST_F(Planner, ARetryComesBeforeTheNextSlotOrNotAtAll) {
  Add(Trigger::kCatchUp, "2026-06-02T02:00", "2026-06-03 01:53:00", false);
  EXPECT_EQ(PlanAt("2026-06-03 01:54:30").next_trigger, Trigger::kRetry);
  history_.back().finished_at = Utc("2026-06-03 01:55:00");
  EXPECT_EQ(PlanAt("2026-06-03 01:55:30").next_trigger, Trigger::kSchedule);
  EXPECT_EQ(PlanAt("2026-06-03 02:00:00").due, Due(Trigger::kSchedule, "2026-06-03T02:00"));
}

TEST_F(Planner, NeitherManualNorCancelledRunsAreRetried) {
  Add(Trigger::kManual, "", "2026-06-01 13:00:00", false);
  EXPECT_EQ(PlanAt("2026-06-01 14:00:00").due, std::nullopt);
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", false).cancelled = true;
  EXPECT_EQ(PlanAt("2026-06-02 03:00:00").due, std::nullopt);
}

TEST_F(Planner, AVerifiedSetAfterTheFailureMakesARetryNeedless) {
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", false);
  Add(Trigger::kManual, "", "2026-06-02 02:02:00", true);
  input_.newest_verified_finished = Utc("2026-06-02 02:03:00");
  EXPECT_EQ(PlanAt("2026-06-02 03:00:00").due, std::nullopt);
  input_.newest_verified_finished = Utc("2026-06-01 02:03:00");
  EXPECT_EQ(PlanAt("2026-06-02 03:00:00").due, Due(Trigger::kRetry, "2026-06-02T02:00", 2));
}

class PlannerOnStart : public Planner {
 protected:
  PlannerOnStart() { input_.backup_on_start = true; }
};

TEST_F(PlannerOnStart, OneRunPerServerStart) {
  EXPECT_EQ(PlanAt("2026-06-01 12:00:05").due, Due(Trigger::kStart, ""));
  Add(Trigger::kStart, "", "2026-06-01 12:00:05", true);
  EXPECT_EQ(PlanAt("2026-06-01 22:00:00").due, std::nullopt);
  Restart("2026-06-01 22:00:00");
  EXPECT_EQ(PlanAt("2026-06-01 22:00:05").due, Due(Trigger::kStart, ""));
}

TEST_F(PlannerOnStart, AManualRunDoesNotStandForIt) {
  Add(Trigger::kManual, "", "2026-06-01 12:00:01", false);
  EXPECT_EQ(PlanAt("2026-06-01 12:03:00").due, Due(Trigger::kStart, ""));
}

TEST_F(PlannerOnStart, AFreshVerifiedSetAtServerStartStandsForIt) {
  input_.newest_verified_finished = input_.server_start - kHour + 1;
  EXPECT_EQ(PlanAt("2026-06-01 12:00:05").due, std::nullopt);
  EXPECT_EQ(PlanAt("2026-06-01 20:00:00").due, std::nullopt);
  input_.newest_verified_finished = input_.server_start - kHour;
  EXPECT_EQ(PlanAt("2026-06-01 12:00:05").due, Due(Trigger::kStart, ""));
  input_.newest_verified_finished = input_.server_start + 365 * kDay;
  EXPECT_EQ(PlanAt("2026-06-01 12:00:05").due, Due(Trigger::kStart, ""));
}

TEST_F(PlannerOnStart, ACatchUpStandsForIt) {
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", true);
  Restart("2026-06-06 09:00:00");
  EXPECT_EQ(PlanAt("2026-06-06 09:00:01").due, Due(Trigger::kCatchUp, "2026-06-06T02:00"));
  Add(Trigger::kCatchUp, "2026-06-06T02:00", "2026-06-06 09:00:01", false);
  EXPECT_EQ(PlanAt("2026-06-06 09:10:00").due, Due(Trigger::kRetry, "2026-06-06T02:00", 2));
  history_.back().cancelled = true;
  EXPECT_EQ(PlanAt("2026-06-06 09:10:00").due, std::nullopt);
}

TEST_F(PlannerOnStart, APendingRetryOfTheSlotStandsForIt) {
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", false).finished_at.reset();
  Restart("2026-06-02 02:02:00");
  Plan plan = PlanAt("2026-06-02 02:02:05");
  EXPECT_EQ(plan.due, std::nullopt);
  EXPECT_EQ(plan.next_run_at, Utc("2026-06-02 02:05:00"));
  EXPECT_EQ(PlanAt("2026-06-02 02:05:00").due, Due(Trigger::kRetry, "2026-06-02T02:00", 2));
}

TEST_F(PlannerOnStart, AFailedOneIsRetriedBeforeTheNextSlot) {
  Add(Trigger::kStart, "", "2026-06-01 12:00:05", false);
  EXPECT_EQ(PlanAt("2026-06-01 12:06:05").due, Due(Trigger::kRetry, "", 2));
  Add(Trigger::kRetry, "", "2026-06-01 12:06:05", false, 2);
  EXPECT_EQ(PlanAt("2026-06-01 12:22:05").due, Due(Trigger::kRetry, "", 3));
  Add(Trigger::kSchedule, "2026-06-02T02:00", "2026-06-02 02:00:00", false).cancelled = true;
  EXPECT_EQ(PlanAt("2026-06-02 03:00:00").due, std::nullopt);
}

}  // namespace
