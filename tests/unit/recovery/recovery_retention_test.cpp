#include "core/recovery/recovery_retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "sample_base.h"
#include "support.h"

namespace {

using namespace mfi::core;
using mfi::test::IsLongForm;
using mfi::test::SampleBase;

constexpr UtcSeconds kAt = 1'780'000'000;
constexpr std::int64_t kWindow = 7 * kDay;

BaseRecord Drilled(BaseRecord base, const std::string& result = "ok") {
  base.drilled_at = base.finished_at + kHour;
  base.drill_result = result;
  return base;
}

BaseRecord FullOn(int day) { return SampleBase(kAt + day * kDay, static_cast<Lsn>(day + 1) * 0x1000); }
BaseRecord IncrementalOn(int day, const BaseRecord& parent) {
  return SampleBase(kAt + day * kDay, static_cast<Lsn>(day + 1) * 0x1000, parent.id);
}

RecoveryRetention PlanOn(int day, const std::vector<BaseRecord>& bases) {
  return PlanRecoveryRetention(bases, kWindow, kAt + day * kDay);
}

TEST(RecoveryRetention, AChainGoesWhenANewerProvenOneReachesTheWholeWindow) {
  const BaseRecord old = FullOn(0);
  const BaseRecord builds_on_it = IncrementalOn(1, old);
  const BaseRecord newer = Drilled(FullOn(7));
  const std::vector<BaseRecord> bases = {old, builds_on_it, newer};
  EXPECT_TRUE(PlanOn(13, bases).removable.empty()) << "the window begins before the newer one";
  EXPECT_EQ(PlanOn(13, bases).wal_from, old.start);
  EXPECT_EQ(PlanOn(14, bases).removable, (std::vector{builds_on_it.id, old.id}));
  EXPECT_EQ(PlanOn(14, bases).wal_from, newer.start);
}

TEST(RecoveryRetention, NothingGoesBeforeANewerOneIsProven) {
  for (const BaseRecord& newer : {FullOn(7), Drilled(FullOn(7), "it did not start")}) {
    EXPECT_TRUE(PlanOn(100, {FullOn(0), newer}).removable.empty());
  }
  // The chain's last drill counts.
  const BaseRecord newer = Drilled(FullOn(7));
  EXPECT_TRUE(PlanOn(100, {FullOn(0), newer, Drilled(IncrementalOn(8, newer), "differs")}).removable.empty());
  const BaseRecord undrilled = FullOn(7);
  EXPECT_EQ(PlanOn(100, {FullOn(0), undrilled, Drilled(IncrementalOn(8, undrilled))}).removable.size(), 1U);
}

TEST(RecoveryRetention, TheOnlyChainStays) {
  const BaseRecord only = Drilled(FullOn(0));
  EXPECT_EQ(PlanOn(1000, {only, IncrementalOn(1, only)}), (RecoveryRetention{{}, only.start}));
  EXPECT_EQ(PlanOn(1000, {}), RecoveryRetention{});
}

TEST(RecoveryRetention, WhatIsNotWholeStaysUntilItIsOlder) {
  const BaseRecord lost = FullOn(0);
  const BaseRecord orphan = IncrementalOn(1, lost);
  const BaseRecord full = Drilled(FullOn(7));
  const BaseRecord young = IncrementalOn(8, lost);
  EXPECT_EQ(PlanOn(14, {orphan, full, young}), (RecoveryRetention{{orphan.id}, full.start}));
}

TEST(RecoveryRetention, AClockThatWasSetBackTakesNothingAway) {
  const BaseRecord before = FullOn(3);
  BaseRecord after = Drilled(FullOn(1));
  after.start = after.end = before.end + 1;
  EXPECT_TRUE(PlanOn(9, {before, after}).removable.empty());
  EXPECT_TRUE(PlanOn(-100, {before, after}).removable.empty());
}

/// A store, and what one would reach that forgets nothing.
class Life {
 public:
  explicit Life(unsigned seed) : random_(seed) {}

  void Live() {
    for (int hour = 0; hour < 24 * 90 && !testing::Test::HasFailure(); ++hour) {
      now_ += kHour;
      lsn_ += 1 + Below(1000);
      if (Below(24) == 0) MakeBase();
      if (Below(24) == 0) Drill();
      if (Below(6) == 0) Expire();
      if (Below(12) == 0) ExpectPromisesKept();
    }
  }

  std::size_t kept() const { return store_.size(); }

 private:
  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }

  void MakeBase() {
    const bool full = store_.empty() || Below(5) == 0;
    std::string parent;
    if (!full) parent = (Below(4) == 0 ? store_[Below(store_.size())] : store_.back()).id;
    BaseRecord base = SampleBase(now_, lsn_, parent);
    if (full && Below(5) == 0) broken_.insert(base.id);
    store_.push_back(base);
    all_.push_back(base);
  }

  bool IsSound(const BaseRecord& base) const { return base.full && !broken_.contains(base.id); }

  /// Mostly of the newest; it tells whether that is sound.
  void Drill() {
    if (store_.empty() || Below(5) == 0) return;
    BaseRecord& base = Below(3) == 0 ? store_[Below(store_.size())] : store_.back();
    const std::vector<BaseRecord> chain = ChainOf(store_, base.id);
    ASSERT_FALSE(chain.empty()) << "what a base builds on is gone";
    base.drilled_at = now_;
    base.drill_result = IsSound(chain.front()) ? "ok" : "it did not start";
  }

  void Expire() {
    const RecoveryRetention plan = PlanRecoveryRetention(store_, kWindow, now_);
    for (const std::string& id : plan.removable) {
      std::erase_if(store_, [&](const BaseRecord& base) { return base.id == id; });
      for (const BaseRecord& base : store_) ASSERT_NE(base.parent, id) << "a base lost what it builds on";
    }
    if (plan.wal_from) wal_from_ = std::max(wal_from_, *plan.wal_from);
  }

  bool Reaches(const std::vector<BaseRecord>& bases, UtcSeconds second, Lsn wal_from) const {
    return std::any_of(bases.begin(), bases.end(), [&](const BaseRecord& base) {
      return IsSound(base) && base.finished_at <= second && base.start >= wal_from;
    });
  }

  void ExpectPromisesKept() const {
    for (UtcSeconds second = now_ - kWindow; second <= now_; second += kHour) {
      ASSERT_TRUE(!Reaches(all_, second, 0) || Reaches(store_, second, wal_from_)) << (second - kAt) / kHour;
    }
  }

  std::mt19937_64 random_;
  UtcSeconds now_ = kAt;
  Lsn lsn_ = 1;
  Lsn wal_from_ = 0;
  std::set<std::string> broken_;
  std::vector<BaseRecord> store_;
  std::vector<BaseRecord> all_;
};

TEST(RecoveryRetention, NoPromisedSecondIsEverLost) {
  const unsigned seeds = IsLongForm() ? 200 : 40;
  std::size_t most = 0;
  for (unsigned seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    life.Live();
    most = std::max(most, life.kept());
  }
  EXPECT_LT(most, 90U) << "something goes, too";
}

}  // namespace
