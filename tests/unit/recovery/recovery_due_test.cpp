#include "core/recovery/recovery_due.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;

constexpr UtcSeconds kNow = 1'780'000'000;

/// A base and its drill of last night, and a schedule of each night.
DueInput Night(std::int64_t ahead = 0) {
  DueInput input;
  input.now = kNow;
  input.incremental = {kNow - kHour, kNow + 23 * kHour};
  BaseRecord base;
  base.full = true;
  base.id = BaseId(kNow - kHour + ahead, true);
  base.started_at = base.finished_at = kNow - kHour + ahead;
  base.end = 1000;
  input.situation.bases = {base};
  input.situation.summaries = true;
  input.situation.chain_usable = true;
  input.drills = {
      {.id = "drill", .started_at = base.started_at, .finished_at = base.started_at, .base = base.id, .result = "ok"}};
  return input;
}

TEST(RecoveryDue, NothingUntilTheNextNight) {
  EXPECT_EQ(NextRecoveryWork(Night()).work, RecoveryWork::kNone);
  EXPECT_EQ(NextRecoveryWork(Night(kHour + kMinute)).work, RecoveryWork::kNone) << "clocks differ";
}

TEST(RecoveryDue, AClockThatWasSetBackKeepsNothingFromBeingMade) {
  DueInput input = Night(30 * kDay);
  EXPECT_EQ(NextRecoveryWork(input).work, RecoveryWork::kIncremental) << "the base is of a time to come";
  BaseRecord base = input.situation.bases[0];
  base.id = BaseId(kNow - kMinute, false);
  base.full = false;
  base.parent = input.situation.bases[0].id;
  base.started_at = base.finished_at = kNow - kMinute;
  base.end = 2000;
  input.situation.bases.push_back(base);
  EXPECT_EQ(NextRecoveryWork(input).work, RecoveryWork::kDrill);
  input.drills.push_back({.id = "b", .started_at = kNow, .finished_at = kNow, .base = base.id, .result = "ok"});
  EXPECT_EQ(NextRecoveryWork(input).work, RecoveryWork::kNone) << "once";
}

TEST(RecoveryDue, ADrillOfATimeToComeIsNoneOfLastNight) {
  DueInput input = Night();
  input.drills[0].started_at += 30 * kDay;
  EXPECT_EQ(NextRecoveryWork(input).work, RecoveryWork::kDrill);
}

TEST(RecoveryDue, AFailureOfATimeToComeIsNotWaitedFor) {
  DueInput input = Night();
  input.situation.bases.clear();
  input.base_failures = {1, kNow - kMinute};
  EXPECT_EQ(NextRecoveryWork(input).work, RecoveryWork::kNone) << "after a pause";
  input.base_failures.last = kNow + kDay;
  EXPECT_EQ(NextRecoveryWork(input).work, RecoveryWork::kFull);
}

}  // namespace
