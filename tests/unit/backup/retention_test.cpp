#include "core/backup/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace {

using mfi::core::kDay;
using mfi::core::kHour;
using mfi::core::PlanRetention;
using mfi::core::RetainedSet;
using mfi::core::RetentionDecision;
using mfi::core::RetentionRule;
using mfi::core::UtcSeconds;

constexpr UtcSeconds kNow = 1'780'000'000;

RetainedSet Aged(const std::string& id, std::int64_t age, bool verified = true) {
  RetainedSet set;
  set.id = id;
  set.finished = kNow - age;
  set.verified = verified;
  return set;
}

std::vector<std::string> Reasons(const std::vector<RetainedSet>& sets, const RetentionRule& rule) {
  std::vector<std::string> reasons;
  for (const RetentionDecision& decision : PlanRetention(sets, rule, kNow)) {
    EXPECT_EQ(decision.keep, decision.reason.starts_with("kept: "));
    EXPECT_EQ(!decision.keep, decision.reason.starts_with("deleted: "));
    reasons.push_back(decision.id + " " + decision.reason);
  }
  return reasons;
}

using Lines = std::vector<std::string>;

TEST(Retention, OfNothingIsNothing) { EXPECT_EQ(Reasons({}, {}), Lines{}); }

TEST(Retention, WhatWaitsForItsCopyStays) {
  std::vector<RetainedSet> sets = {Aged("a", 20 * kDay), Aged("b", 10 * kDay), Aged("c", kDay)};
  sets[0].uncopied = true;
  EXPECT_EQ(Reasons(sets, {.retain_days = 5, .min_keep = 1})[0], "a deleted: 20 days old, keep 5");
  EXPECT_EQ(Reasons(sets, {.retain_days = 5, .min_keep = 1, .keep_uncopied = true})[0],
            "a kept: 20 days old, and not copied elsewhere yet");
}

TEST(Retention, SaysWhyForEachSetInTheGivenOrder) {
  std::vector<RetainedSet> sets = {
      Aged("i", 30 * kDay),           Aged("a", -kHour),    Aged("b", kHour, false), Aged("c", kDay),
      Aged("d", kDay + kHour, false), Aged("e", 2 * kDay),  Aged("f", 7 * kDay),     Aged("g", 9 * kDay),
      Aged("h", 10 * kDay),           Aged("j", 40 * kDay), Aged("k", 50 * kDay),
  };
  sets[8].held = true;
  sets[9].held = true;
  sets[9].hold_reason = "audit of May";
  sets[10].foreign = true;
  EXPECT_EQ(Reasons(sets, {.retain_days = 7, .min_keep = 3}),
            (Lines{
                "i deleted: 30 days old, keep 7",
                "a kept: finished in the future, the clock was set back",
                "b kept: one of the newest 3 good sets",
                "c kept: newest verified set",
                "d kept: one of the newest 3 good sets",
                "e kept: 2 days old, keep 7",
                "f kept: the only set to go back 7 days until a younger one is that old",
                "g deleted: 9 days old, keep 7",
                "h kept: held",
                "j kept: held: audit of May",
                "k kept: written by another cluster and not adopted",
            }));
}

TEST(Retention, ZeroDaysLeavesTheFloors) {
  EXPECT_EQ(Reasons({Aged("a", kHour, false), Aged("b", kDay), Aged("c", 2 * kDay)}, {.retain_days = 0, .min_keep = 0}),
            (Lines{
                "a kept: the only set to go back 0 days until a younger one is that old",
                "b kept: newest verified set",
                "c deleted: 2 days old, keep 0",
            }));
  EXPECT_EQ(
      Reasons({Aged("a", 0), Aged("b", 1), Aged("c", kDay)}, {.retain_days = 0, .min_keep = 1}),
      (Lines{"a kept: newest verified set", "b deleted: less than a day old, keep 0", "c deleted: 1 day old, keep 0"}));
}

TEST(Retention, ASetGoesTheMomentItReachesItsAge) {
  const RetentionRule rule{.retain_days = 2, .min_keep = 1};
  const std::vector<RetainedSet> sets = {Aged("a", 0), Aged("b", 2 * kDay), Aged("c", 2 * kDay + 1)};
  EXPECT_EQ(Reasons(sets, rule)[1], "b kept: the only set to go back 2 days until a younger one is that old");
  EXPECT_EQ(Reasons(sets, rule)[2], "c deleted: 2 days old, keep 2");
}

TEST(Retention, AWeekOfFailuresDeletesNothingGood) {
  const std::vector<RetainedSet> sets = {Aged("a", 20 * kDay), Aged("b", 21 * kDay), Aged("c", 22 * kDay)};
  for (const RetentionDecision& decision : PlanRetention(sets, {.retain_days = 7, .min_keep = 3}, kNow)) {
    EXPECT_TRUE(decision.keep) << decision.id;
  }
}

TEST(Retention, AResetStackNeverAgesOutTheOldCluster) {
  std::vector<RetainedSet> sets;
  for (int i = 0; i < 10; ++i) {
    sets.push_back(Aged("old" + std::to_string(i), (100 + i) * kDay));
    sets.back().foreign = true;
  }
  for (int i = 0; i < 10; ++i) sets.push_back(Aged("new" + std::to_string(i), i * kDay));
  const auto decisions = PlanRetention(sets, {.retain_days = 2, .min_keep = 1}, kNow);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(decisions[static_cast<std::size_t>(i)].keep);
  EXPECT_EQ(std::count_if(decisions.begin(), decisions.end(), [](const auto& d) { return d.keep; }), 10 + 3);
}

TEST(Retention, ForeignAndFutureSetsAreNoFloor) {
  std::vector<RetainedSet> sets = {Aged("foreign", 0), Aged("future", -kDay), Aged("own", 30 * kDay),
                                   Aged("older", 31 * kDay)};
  sets[0].foreign = true;
  const auto decisions = PlanRetention(sets, {.retain_days = 7, .min_keep = 1}, kNow);
  EXPECT_TRUE(decisions[2].keep);
  EXPECT_FALSE(decisions[3].keep);
}

TEST(Retention, OfSetsThatFinishedTogetherTheGreaterIdIsTheNewer) {
  const auto decisions =
      PlanRetention(std::vector{Aged("a", kDay), Aged("b", kDay)}, {.retain_days = 0, .min_keep = 1}, kNow);
  EXPECT_FALSE(decisions[0].keep);
  EXPECT_TRUE(decisions[1].keep);
}

std::vector<RetainedSet> RandomSets(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t limit) { return static_cast<std::int64_t>(random() % limit); };
  std::vector<RetainedSet> sets;
  for (std::int64_t i = below(25); i > 0; --i) {
    RetainedSet set = Aged("set" + std::to_string(i), below(40 * kDay) - 2 * kDay, below(3) > 0);
    set.held = below(8) == 0;
    set.foreign = below(8) == 0;
    sets.push_back(set);
  }
  return sets;
}

/// Checks the floors one by one, each in the most direct way.
void ExpectFloors(const std::vector<RetainedSet>& sets, const RetentionRule& rule,
                  const std::vector<RetentionDecision>& decisions) {
  ASSERT_EQ(decisions.size(), sets.size());
  const auto limit = rule.retain_days * kDay;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const RetainedSet& set = sets[i];
    ASSERT_EQ(decisions[i].id, set.id);
    const std::int64_t age = kNow - set.finished;
    int newer = 0, newer_verified = 0, younger_of_age = 0;
    for (const RetainedSet& other : sets) {
      const bool counts = !other.foreign && other.finished <= kNow;
      const bool is_newer = other.finished > set.finished || (other.finished == set.finished && other.id > set.id);
      if (!counts || !is_newer) continue;
      ++newer;
      if (other.verified) ++newer_verified;
      if (kNow - other.finished >= limit) ++younger_of_age;
    }
    const bool untouchable = set.foreign || set.held || age < 0;
    const bool floor =
        (set.verified && newer_verified == 0) || newer < rule.min_keep || (age >= limit && younger_of_age == 0);
    ASSERT_EQ(decisions[i].keep, untouchable || floor || age < limit) << decisions[i].id << " " << decisions[i].reason;
  }
}

TEST(Retention, FloorsHoldForRandomSets) {
  std::mt19937_64 random(20260301);
  for (int round = 0; round < 3000 && !HasFatalFailure(); ++round) {
    const std::vector<RetainedSet> sets = RandomSets(random);
    const RetentionRule rule{static_cast<int>(random() % 20), static_cast<int>(random() % 6)};
    ExpectFloors(sets, rule, PlanRetention(sets, rule, kNow));
  }
}

TEST(Retention, DeletingOneByOneEndsWhereThePreviewSaid) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    std::vector<RetainedSet> sets = RandomSets(random);
    const RetentionRule rule{static_cast<int>(random() % 20), static_cast<int>(random() % 6)};
    std::vector<std::string> kept;
    for (const RetentionDecision& decision : PlanRetention(sets, rule, kNow)) {
      if (decision.keep) kept.push_back(decision.id);
    }
    for (;;) {
      const auto decisions = PlanRetention(sets, rule, kNow);
      const auto doomed = std::find_if(decisions.begin(), decisions.end(), [](const auto& d) { return !d.keep; });
      if (doomed == decisions.end()) break;
      sets.erase(sets.begin() + (doomed - decisions.begin()));
    }
    std::vector<std::string> left;
    for (const RetainedSet& set : sets) left.push_back(set.id);
    ASSERT_EQ(left, kept);
  }
}

TEST(Retention, AYearOfNightsAlwaysKeepsASetOfTheFullAge) {
  const RetentionRule rule{.retain_days = 7, .min_keep = 3};
  std::mt19937_64 random(3);
  std::vector<RetainedSet> sets;
  for (int night = 0; night < 365; ++night) {
    const UtcSeconds now = kNow + night * kDay;
    const bool long_outage = night > 100 && night < 130;
    if (long_outage || random() % 4 == 0) continue;
    sets.push_back({"night" + std::to_string(night), now, random() % 5 != 0, false, false, {}});
    const auto decisions = PlanRetention(sets, rule, now);
    std::vector<RetainedSet> kept;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      if (decisions[i].keep) kept.push_back(sets[i]);
    }
    sets = kept;
    ASSERT_LE(sets.size(), 9U);
    ASSERT_TRUE(night < 10 || now - sets.front().finished >= 7 * kDay) << "night " << night;
    ASSERT_TRUE(night < 10 ||
                std::any_of(sets.begin(), sets.end(), [](const RetainedSet& set) { return set.verified; }));
  }
}

}  // namespace
