#include "core/offsite/offsite_due.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"

namespace {

using namespace mfi::core;

constexpr UtcSeconds kNow = 1'780'000'000;

/// A primary with a store, of which everything was done a minute ago.
OffsiteDueInput Done() {
  OffsiteDueInput input{.now = kNow, .is_primary = true, .has_store = true, .interval_s = 900, .forgets = true};
  input.sets = {{"a", kNow - 2 * kDay, true}, {"b", kNow - kDay, true}};
  input.state.probed_at = input.state.checked_at = input.state.forgot_at = input.state.store_copied_at =
      input.state.answered_at = kNow - kMinute;
  return input;
}

TEST(OffsiteDue, NothingWhenAllIsDone) { EXPECT_EQ(NextOffsiteWork(Done()).work, OffsiteWork::kNone); }

TEST(OffsiteDue, WhatWouldBeLostFirstGoesFirst) {
  OffsiteDueInput input = Done();
  input.state = {};
  for (ProvenSet& set : input.sets) set.copied = false;
  std::vector<std::string> order;
  for (OffsiteDue due = NextOffsiteWork(input); due.work != OffsiteWork::kNone; due = NextOffsiteWork(input)) {
    switch (due.work) {
      case OffsiteWork::kSet:
        for (ProvenSet& set : input.sets) set.copied = set.copied || set.id == due.set;
        order.push_back(due.set);
        break;
      case OffsiteWork::kStore:
        input.state.store_copied_at = kNow;
        order.push_back("store");
        break;
      case OffsiteWork::kProbe:
        input.state.probed_at = kNow;
        order.push_back("probe");
        break;
      case OffsiteWork::kCheck:
        input.state.checked_at = kNow;
        order.push_back("check");
        break;
      case OffsiteWork::kContact:
        input.state.answered_at = kNow;
        order.push_back("contact");
        break;
      default:
        input.state.forgot_at = kNow;
        order.push_back("forget");
    }
    ASSERT_LT(order.size(), 10U);
  }
  EXPECT_EQ(order, (std::vector<std::string>{"b", "store", "a", "probe", "check", "forget", "contact"}));
}

TEST(OffsiteDue, AnOldSetDoesNotHoldUpNewWal) {
  OffsiteDueInput input = Done();
  input.sets[0].copied = false;
  input.state.store_copied_at = kNow - 900;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kStore);
}

TEST(OffsiteDue, WhatFailedLastDoesNotHoldUpTheOthers) {
  OffsiteDueInput input = Done();
  input.sets[1].copied = false;
  input.failed = OffsiteWork::kSet;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kSet) << "nothing else is to be done";
  input.state.store_copied_at = kNow - 900;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kStore);
  input.failed = OffsiteWork::kStore;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kSet);
  input = Done();
  input.state.checked_at = input.state.forgot_at = kNow - kDay;
  input.failed = OffsiteWork::kCheck;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kForget);
}

TEST(OffsiteDue, AStandbyCopiesItsStoreAlone) {
  OffsiteDueInput input = Done();
  input.is_primary = false;
  for (ProvenSet& set : input.sets) set.copied = false;
  input.state.checked_at = input.state.forgot_at = kNow - 2 * kDay;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kNone);
  input.state.probed_at.reset();
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kProbe);
  input.has_store = false;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kNone) << "it has nothing to do there";
}

TEST(OffsiteDue, ItIsAskedWhetherItIsStillThere) {
  OffsiteDueInput input = Done();
  input.has_store = false;
  input.state.answered_at = kNow - 900;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kContact);
  input.state.answered_at = kNow - 899;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kNone);
  input.state.failing_since = kNow - kHour;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kContact) << "until it answers again";
}

TEST(OffsiteDue, NothingIsForgottenWithoutARule) {
  OffsiteDueInput input = Done();
  input.state.forgot_at.reset();
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kForget);
  input.forgets = false;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kNone);
}

TEST(OffsiteDue, AfterFailuresItPausesLongerAndLonger) {
  OffsiteDueInput input = Done();
  input.sets[1].copied = false;
  input.last_failure = kNow;
  for (const auto& [failures, pause] : {std::pair{1, 60}, {2, 120}, {3, 240}, {4, 480}, {5, 900}, {99, 900}}) {
    input.failures = failures;
    input.now = kNow + pause - 1;
    EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kNone) << failures;
    input.now = kNow + pause;
    EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kSet) << failures;
  }
  input.now = kNow - kHour;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kSet) << "a clock that was set back";
}

TEST(OffsiteDue, ALockIsNotWaitedForLong) {
  OffsiteDueInput input = Done();
  input.sets[1].copied = false;
  input.failures = 9;
  input.last_failure = kNow - 10;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kNone);
  input.state.fault = kOffsiteLocked;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kSet);
  input.last_failure = kNow - 9;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kNone);
}

TEST(OffsiteDue, AClockThatWasSetBackKeepsNothingFromBeingDone) {
  OffsiteDueInput input = Done();
  input.now = kNow - kDay;
  EXPECT_EQ(NextOffsiteWork(input).work, OffsiteWork::kStore);
}

TEST(OffsiteDue, AMonthOfDaysReadsEachPart) {
  OffsiteState state;
  std::set<int> read;
  EXPECT_FALSE(AllRead(state));
  for (int day = 0; day < kCheckParts; ++day) {
    const int part = NextCheckPart(state);
    read.insert(part);
    state.parts_read.at(static_cast<std::size_t>(part - 1)) = kNow + day * kDay;
  }
  EXPECT_EQ(read.size(), static_cast<std::size_t>(kCheckParts));
  EXPECT_EQ(*read.begin(), 1);
  EXPECT_EQ(AllRead(state), kNow);
  EXPECT_EQ(NextCheckPart(state), 1);
}

TEST(OffsiteDrillDue, OnceAfterEachTimeOfItsSchedule) {
  const UtcSeconds last = kNow - 5 * kDay;
  EXPECT_TRUE(OffsiteDrillIsDue(kNow, last, true, {})) << "the first one as soon as there is a copy";
  EXPECT_FALSE(OffsiteDrillIsDue(kNow, last, false, {}));
  EXPECT_FALSE(OffsiteDrillIsDue(kNow, std::nullopt, true, {}));
  const auto drilled = [](UtcSeconds at, const char* error) {
    return OffsiteDrillRecord{.started_at = at, .result = *error == 0 ? "ok" : "", .error = error};
  };
  EXPECT_TRUE(OffsiteDrillIsDue(kNow, last, true, {drilled(last - 1, "")}));
  EXPECT_FALSE(OffsiteDrillIsDue(kNow, last, true, {drilled(last, "")}));
  EXPECT_FALSE(OffsiteDrillIsDue(kNow, last, true, {drilled(kNow - kDay + 1, "no room")}));
  EXPECT_TRUE(OffsiteDrillIsDue(kNow, last, true, {drilled(kNow - kDay, "no room")}));
  EXPECT_FALSE(OffsiteDrillIsDue(kNow, last, true, {drilled(last, ""), drilled(kNow - 2 * kDay, "no room")}));
  EXPECT_TRUE(OffsiteDrillIsDue(kNow, last, true, {drilled(kNow + kDay, "")})) << "of a time to come";
}

TEST(OffsiteState, IsReadAsItWasWritten) {
  OffsiteState state{.repository = "rest:https://elsewhere/bank", .repository_id = "0a", .answered_at = kNow};
  EXPECT_EQ(ParseOffsiteState(ToJson(state)), state);
  state.failing_since = state.probed_at = state.store_copied_at = state.checked_at = state.forgot_at = kNow;
  state.fault = state.error = state.next_step = state.probe = state.store_snapshot = state.damage = "x";
  state.keep_error = "y";
  state.deletable = false;
  state.unfinished = true;
  state.parts_read[29] = kNow;
  EXPECT_EQ(ParseOffsiteState(ToJson(state)), state);
  for (const char* text : {"", "[]", "{}", R"({"format":2})", R"({"format":1,"parts_read":[1]})",
                           R"({"format":1,"deletable":"no"})", R"({"format":1,"answered_at":"today"})"}) {
    EXPECT_THROW(ParseOffsiteState(text), Error) << text;
  }
}

}  // namespace
