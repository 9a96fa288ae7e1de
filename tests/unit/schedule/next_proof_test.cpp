#include "core/schedule/next_proof.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

using mfi::core::LastRunFailed;
using mfi::core::PastRun;
using mfi::core::PendingProof;
using mfi::core::ProofFacts;
using mfi::core::ProofToRepeat;

constexpr mfi::core::UtcSeconds kAt = 1'800'000'000;

ProofFacts Unproven(const std::string& id, mfi::core::UtcSeconds finished, int attempts = 1) {
  return {.id = id, .finished = finished, .attempts = attempts, .tried_at = finished + 10};
}

TEST(ProofToRepeat, OnlyTheNewestSetIsProvenAgain) {
  const std::vector<ProofFacts> sets = {Unproven("a", kAt), Unproven("c", kAt + 200), Unproven("b", kAt + 100)};
  EXPECT_EQ(ProofToRepeat(sets), (PendingProof{"c", kAt + 210 + 300}));
}

TEST(ProofToRepeat, OfSetsOfOneSecondTheLastCounts) {
  const std::vector<ProofFacts> sets = {Unproven("a", kAt), Unproven("b", kAt)};
  EXPECT_EQ(ProofToRepeat(sets)->id, "b");
}

TEST(ProofToRepeat, ASetWithAResultIsLeftAlone) {
  ProofFacts newest = Unproven("b", kAt + 100);
  newest.has_result = true;
  EXPECT_FALSE(ProofToRepeat(std::vector<ProofFacts>{Unproven("a", kAt), newest}));
}

TEST(ProofToRepeat, ASetThatNobodyTriedToProveIsLeftAlone) {
  ProofFacts set = Unproven("a", kAt);
  set.tried_at.reset();
  EXPECT_FALSE(ProofToRepeat(std::vector<ProofFacts>{set}));
  EXPECT_FALSE(ProofToRepeat({}));
}

TEST(ProofToRepeat, AfterTheLastAttemptItIsGivenUp) {
  EXPECT_TRUE(ProofToRepeat(std::vector<ProofFacts>{Unproven("a", kAt, mfi::core::kMaxAttempts - 1)}));
  EXPECT_FALSE(ProofToRepeat(std::vector<ProofFacts>{Unproven("a", kAt, mfi::core::kMaxAttempts)}));
}

PastRun Ended(bool succeeded, bool cancelled = false) {
  return {.finished_at = kAt, .succeeded = succeeded, .cancelled = cancelled};
}

TEST(LastRunFailed, TheNewestThatEndedByItselfDecides) {
  EXPECT_FALSE(LastRunFailed({}));
  EXPECT_TRUE(LastRunFailed(std::vector<PastRun>{Ended(true), Ended(false)}));
  EXPECT_FALSE(LastRunFailed(std::vector<PastRun>{Ended(false), Ended(true)}));
  EXPECT_TRUE(LastRunFailed(std::vector<PastRun>{Ended(false), Ended(false, true)}));
  EXPECT_TRUE(LastRunFailed(std::vector<PastRun>{Ended(false), PastRun{}}));
}

}  // namespace
