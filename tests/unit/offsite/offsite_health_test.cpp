#include "core/offsite/offsite_health.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace mfi::core;

constexpr UtcSeconds kNow = 1'780'000'000;

/// All was copied a minute ago, into a repository that accepts additions only.
OffsiteFacts Healthy() {
  OffsiteFacts facts;
  facts.now = kNow;
  facts.preloaded = facts.on = facts.is_primary = facts.has_store = true;
  facts.interval_s = 900;
  facts.max_age_s = 26 * kHour;
  facts.copier_silent_s = 1;
  facts.state.repository = "rest:https://elsewhere/bank";
  facts.state.answered_at = facts.state.checked_at = facts.state.probed_at = facts.state.store_copied_at =
      kNow - kMinute;
  facts.state.deletable = false;
  facts.sets = {{"a", kNow - kHour, true}};
  facts.drilled_at = kNow - 20 * kDay;
  facts.drill_due = kNow - 50 * kDay;
  return facts;
}

/// `verdict code` of each, gravest first.
std::string Said(const OffsiteFacts& facts) {
  std::string said;
  for (const Reason& reason : JudgeOffsite(facts)) {
    said += (said.empty() ? "" : ", ") + ToString(reason.verdict) + " " + reason.code;
    EXPECT_FALSE(reason.sentence.empty());
    EXPECT_FALSE(reason.next_step.empty() && reason.verdict != Verdict::kOk) << reason.code;
  }
  return said;
}

TEST(OffsiteHealth, NothingToSay) { EXPECT_EQ(Said(Healthy()), ""); }

TEST(OffsiteHealth, Off) {
  OffsiteFacts facts = Healthy();
  facts.on = false;
  EXPECT_EQ(Said(facts), "ok offsite-off");
}

TEST(OffsiteHealth, ADirectoryThatDoesNotAnswerIsNotKnown) {
  OffsiteFacts facts = Healthy();
  facts.directory_silent = true;
  EXPECT_EQ(Said(facts), "unknown offsite-unknown");
}

TEST(OffsiteHealth, AFailureIsAWarningAndALostPasswordIsCritical) {
  OffsiteFacts facts = Healthy();
  facts.state.failing_since = kNow - kHour;
  facts.state.fault = "offsite-unreachable";
  facts.state.error = "connection refused";
  facts.state.next_step = "It is tried again.";
  EXPECT_EQ(Said(facts), "warning offsite-unreachable");
  EXPECT_NE(JudgeOffsite(facts)[0].sentence.find("for 60 min: connection refused"), std::string::npos)
      << JudgeOffsite(facts)[0].sentence;
  facts.state.fault = "offsite-password-lost";
  EXPECT_EQ(Said(facts), "critical offsite-password-lost");
  facts.state.fault = kOffsiteLocked;
  EXPECT_EQ(Said(facts), "warning offsite-unreachable");
  facts.state.failing_since = kNow - 3599;
  EXPECT_EQ(Said(facts), "") << "the other node works on it";
}

TEST(OffsiteHealth, SetsThatAreNotThere) {
  OffsiteFacts facts = Healthy();
  facts.sets = {{"a", kNow - facts.max_age_s - 1, true}, {"b", kNow - kHour, false}};
  EXPECT_EQ(Said(facts), "warning offsite-stale");
  facts.sets[0].finished = kNow - 3 * facts.max_age_s - 1;
  EXPECT_EQ(Said(facts), "critical offsite-stale");
  facts.sets = {{"a", kNow - kHour, true}, {"b", kNow - kMinute, false}};
  EXPECT_EQ(Said(facts), "");
  facts.has_room = false;
  EXPECT_EQ(Said(facts), "warning offsite-no-room");
  facts.has_room = true;
  facts.sets = {{"a", kNow - kMinute, false}};
  EXPECT_EQ(Said(facts), "ok offsite-stale") << "the first one is on its way";
  facts.sets = {{"a", kNow - 3 * kHour, false}};
  EXPECT_EQ(Said(facts), "critical offsite-stale");
  facts.sets.clear();
  EXPECT_EQ(Said(facts), "ok offsite-stale") << "there is nothing to copy, which the backups' verdict tells";
  facts.is_primary = false;
  EXPECT_EQ(Said(facts), "");
}

TEST(OffsiteHealth, AStoreThatIsNotThere) {
  OffsiteFacts facts = Healthy();
  facts.is_primary = false;
  facts.state.store_copied_at = kNow - 3601;
  EXPECT_EQ(Said(facts), "warning offsite-stale");
  facts.interval_s = 3600;
  EXPECT_EQ(Said(facts), "");
  facts.state.store_copied_at.reset();
  EXPECT_EQ(Said(facts), "ok offsite-stale");
  facts.has_store = false;
  EXPECT_EQ(Said(facts), "");
}

TEST(OffsiteHealth, TheRepository) {
  OffsiteFacts facts = Healthy();
  facts.state.deletable = true;
  EXPECT_EQ(Said(facts), "warning offsite-deletable");
  facts.state.deletable.reset();
  facts.state.damage = "pack 0a is damaged";
  EXPECT_EQ(Said(facts), "critical offsite-corrupt");
  facts.state.damage.clear();
  facts.state.keep_error = "403 Forbidden";
  EXPECT_EQ(Said(facts), "warning offsite-keep-refused");
  facts.state.keep_error.clear();
  facts.state.checked_at = kNow - 3 * kDay - 1;
  EXPECT_EQ(Said(facts), "warning offsite-unchecked");
  facts.state.checked_at.reset();
  EXPECT_EQ(Said(facts), "") << "the first copy is young";
  facts.sets.push_back({"old", kNow - 3 * kDay - 1, true});
  EXPECT_EQ(Said(facts), "warning offsite-unchecked") << "it never was";
  facts.state.checked_at = kNow;
  facts.state.probed_at = kNow - 3 * kDay - 1;
  EXPECT_EQ(Said(facts), "warning offsite-unchecked");
  facts.state.probed_at = kNow;
  facts.state.missing = "bank_1 and 2 more";
  EXPECT_EQ(Said(facts), "critical offsite-missing");
}

TEST(OffsiteHealth, Drills) {
  OffsiteFacts facts = Healthy();
  facts.drill_error = "rows differ";
  EXPECT_EQ(Said(facts), "critical offsite-drill-failed");
  facts.drill_error.clear();
  facts.drilled_at = *facts.drill_due - 1;
  EXPECT_EQ(Said(facts), "warning offsite-drill-stale");
  facts.drilled_at.reset();
  EXPECT_EQ(Said(facts), "warning offsite-drill-stale");
  facts.drill_due.reset();
  EXPECT_EQ(Said(facts), "") << "none is scheduled";
}

TEST(OffsiteHealth, TheCopier) {
  OffsiteFacts facts = Healthy();
  facts.copier_silent_s.reset();
  EXPECT_EQ(Said(facts), "warning offsite-unreachable");
  facts.copier_silent_s = 301;
  EXPECT_EQ(Said(facts), "warning offsite-unreachable");
  facts.preloaded = false;
  EXPECT_EQ(Said(facts), "");
}

}  // namespace
