#include "core/node/maintenance_pace.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::MaintenanceEnd;
using mfi::core::MaintenancePace;
using mfi::core::RowsOutside;

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;

/// One attempt that begins now and takes so long, with what is counted when it has ended.
void Attempt(MaintenancePace& pace, std::int64_t& now, MaintenanceEnd end, RowsOutside after,
             std::int64_t took = kSecond / 10) {
  pace.Begin(now);
  now += took;
  pace.Look(after);
  pace.End(now, end);
}

TEST(MaintenancePace, AtOnceThenEachHour) {
  MaintenancePace pace;
  std::int64_t now = 5 * kSecond;
  EXPECT_LE(pace.due_us(), now);
  Attempt(pace, now, MaintenanceEnd::kDone, {});
  EXPECT_EQ(pace.due_us(), now + kHour);
}

TEST(MaintenancePace, RowsThatComeMakeItDueWithinSeconds) {
  MaintenancePace pace;
  std::int64_t now = 0;
  Attempt(pace, now, MaintenanceEnd::kDone, {});
  pace.Look(RowsOutside{3, 0});
  EXPECT_EQ(pace.due_us(), now + 5 * kSecond);
  now = pace.due_us();
  Attempt(pace, now, MaintenanceEnd::kDone, {3, 3});
  EXPECT_EQ(pace.due_us(), now + kHour);  // they are in their months, and no others came
  pace.Look(RowsOutside{4, 3});
  EXPECT_EQ(pace.due_us(), now + 5 * kSecond);
}

TEST(MaintenancePace, RowsThatComeMeanwhileAreNotForgotten) {
  MaintenancePace pace;
  std::int64_t now = 0;
  pace.Look(RowsOutside{1, 0});
  Attempt(pace, now, MaintenanceEnd::kDone, {2, 1});
  EXPECT_EQ(pace.due_us(), now + 5 * kSecond);
}

TEST(MaintenancePace, RowsThatStayAreTriedLessAndLessOftenAndOnlyWhenMoreCome) {
  MaintenancePace pace;
  std::int64_t now = 0;
  Attempt(pace, now, MaintenanceEnd::kDone, {});
  std::int64_t came = 0;
  for (const std::int64_t pause : {5, 10, 20, 40, 60, 60}) {
    pace.Look(RowsOutside{++came, 0});
    now = pace.due_us();
    Attempt(pace, now, MaintenanceEnd::kDone, {came, 0});
    EXPECT_EQ(pace.due_us(), now + kHour) << "nothing new came";
    pace.Look(RowsOutside{came + 1, 0});
    EXPECT_EQ(pace.due_us(), now + pause * kSecond);
  }
  now = pace.due_us();
  Attempt(pace, now, MaintenanceEnd::kDone, {came + 1, 1});
  pace.Look(RowsOutside{came + 2, 1});
  EXPECT_EQ(pace.due_us(), now + 5 * kSecond) << "some could be moved";
}

TEST(MaintenancePace, LongWorkRestsLonger) {
  MaintenancePace pace;
  std::int64_t now = 0;
  Attempt(pace, now, MaintenanceEnd::kDone, {}, 30 * kSecond);
  pace.Look(RowsOutside{1, 0});
  EXPECT_EQ(pace.due_us(), now + 10 * kMinute);
}

TEST(MaintenancePace, WhatHindersItIsWaitedForLongerEachTime) {
  MaintenancePace pace;
  std::int64_t now = 0;
  for (const std::int64_t minutes : {1, 2, 4, 8, 16, 32, 60, 60}) {
    Attempt(pace, now, MaintenanceEnd::kHindered, {});
    pace.Look(RowsOutside{100 * minutes, 0});  // rows make it no sooner
    EXPECT_EQ(pace.due_us(), now + minutes * kMinute);
    now = pace.due_us();
  }
  Attempt(pace, now, MaintenanceEnd::kDone, {});
  Attempt(pace, now, MaintenanceEnd::kHindered, {});
  EXPECT_EQ(pace.due_us(), now + kMinute);
}

TEST(MaintenancePace, AsLongAsNothingIsThereItLooksEveryTenSeconds) {
  MaintenancePace pace;
  std::int64_t now = 0;
  for (int i = 0; i < 3; ++i) {
    Attempt(pace, now, MaintenanceEnd::kNotReady, {});
    EXPECT_EQ(pace.due_us(), now + 10 * kSecond);
    now = pace.due_us();
  }
}

TEST(MaintenancePace, OneThatNeverAnswersIsFollowedByAnother) {
  MaintenancePace pace;
  pace.Begin(0);
  EXPECT_EQ(pace.due_us(), kMinute);
}

TEST(MaintenancePace, WithoutACountOnlyTimeCounts) {
  MaintenancePace pace;
  std::int64_t now = 0;
  Attempt(pace, now, MaintenanceEnd::kDone, {});
  pace.Look(std::nullopt);
  EXPECT_EQ(pace.due_us(), now + kHour);
}

TEST(MaintenancePace, CountsThatBeginAnewAreRowsThatMayHaveCome) {
  MaintenancePace pace;
  std::int64_t now = 0;
  pace.Look(RowsOutside{7, 7});
  Attempt(pace, now, MaintenanceEnd::kDone, {7, 7});
  pace.Look(RowsOutside{});
  EXPECT_EQ(pace.due_us(), now + 5 * kSecond);
}

}  // namespace
