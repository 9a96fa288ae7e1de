#include "core/replication/replication_history.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;

ReplicationSample Sample(std::int64_t second, const char* peer, Lsn wal_end, Lsn replay) {
  return {.at_us = second * 1'000'000, .peer = peer, .connected = true, .wal_end = wal_end, .replay = replay};
}

TEST(ReplicationHistory, RatesAreSinceTheSampleOfTheSamePeerBefore) {
  const auto entries = ReplicationHistory(
      {Sample(0, "a", 1000, 900), Sample(0, "b", 1000, 0), Sample(5, "a", 6000, 1900), Sample(5, "b", 6000, 6000)}, 0);
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].lag_bytes, 100);
  EXPECT_EQ(entries[0].wal_bytes_per_s, std::nullopt);
  EXPECT_EQ(entries[1].lag_bytes, std::nullopt) << "nothing is known of it";
  EXPECT_EQ(entries[2].lag_bytes, 4100);
  EXPECT_EQ(entries[2].wal_bytes_per_s, 1000.0);
  EXPECT_EQ(entries[2].replay_bytes_per_s, 200.0);
  EXPECT_EQ(entries[3].lag_bytes, 0);
  EXPECT_EQ(entries[3].replay_bytes_per_s, std::nullopt);
}

TEST(ReplicationHistory, WhatWasBeforeServesOnlyTheRates) {
  const auto entries = ReplicationHistory({Sample(0, "a", 1000, 1000), Sample(5, "a", 2000, 2000)}, 5'000'000);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].wal_bytes_per_s, 200.0);
}

TEST(ReplicationHistory, APromotionBeginsAnew) {
  ReplicationSample before = Sample(0, "", 1000, 1000);
  before.in_recovery = true;
  before.conflicts = {1, 1, 1, 1, 1};
  const auto entries = ReplicationHistory({before, Sample(5, "", 2000, 0)}, 0);
  EXPECT_EQ(entries[1].wal_bytes_per_s, std::nullopt);
  EXPECT_EQ(entries[1].conflicts, Conflicts{});
}

TEST(ReplicationHistory, PositionsAndCountersThatWentBack) {
  ReplicationSample first = Sample(0, "a", 2000, 2000);
  ReplicationSample second = Sample(5, "a", 1000, 1000);
  first.conflicts = {5, 0, 7, 0, 0};
  second.conflicts = {6, 0, 2, 0, 0};
  const auto entries = ReplicationHistory({first, second}, 0);
  EXPECT_EQ(entries[0].conflicts, Conflicts{}) << "since when they were counted is not known";
  EXPECT_EQ(entries[1].wal_bytes_per_s, std::nullopt);
  EXPECT_EQ(entries[1].conflicts, (Conflicts{1, 0, 2, 0, 0}));
}

TEST(ReplicationHistory, TwoLooksAtOnceGiveNoRate) {
  const auto entries = ReplicationHistory({Sample(0, "a", 1000, 1000), Sample(0, "a", 2000, 2000)}, 0);
  EXPECT_EQ(entries[1].wal_bytes_per_s, std::nullopt);
}

}  // namespace
