#include "core/recovery/receive_from.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace mfi::core;

constexpr std::int64_t kMb = 1024 * 1024;

StoredWal Whole(std::uint32_t timeline, std::uint64_t number) {
  return {{WalFileKind::kWhole, {timeline, number}, true, SegmentName({timeline, number}, kMb) + ".lz4"}, 0};
}
StoredWal Partial(std::uint32_t timeline, std::uint64_t number, std::int64_t bytes) {
  return {{WalFileKind::kPartial, {timeline, number}, true, SegmentName({timeline, number}, kMb) + ".lz4.partial"},
          bytes};
}
StoredWal HistoryFile(std::uint32_t timeline) {
  return {{WalFileKind::kHistory, {timeline, 0}, true, HistoryName(timeline)}, 0};
}

ServerWal Server(Lsn end, std::uint64_t oldest, History history = {}) {
  return {std::move(history), kMb, end, false, oldest, oldest * kMb + 40};
}

std::vector<std::string> Names(const std::vector<WalFile>& files) {
  std::vector<std::string> names;
  for (const WalFile& file : files) names.push_back(file.name);
  return names;
}
using Strings = std::vector<std::string>;

const History kPromotedInside{2, {{1, 6 * kMb + 1000}}};
const History kPromotedAtBoundary{2, {{1, 6 * kMb}}};

TEST(ReceiveFromTest, AnEmptyStoreBeginsWhereTheSlotKeeps) {
  ServerWal server = Server(9 * kMb + 5, 4);
  server.reserved = 7 * kMb + 1;
  EXPECT_EQ(ReceiveFrom({}, server), (ReceivePlan{{1, 7}, {}, {}, {}, false}));
  server.reserved = 0;
  EXPECT_EQ(ReceiveFrom({}, server).begin, (Segment{1, 9}));
  server.reserved = 2 * kMb;  // what it keeps is not there
  EXPECT_EQ(ReceiveFrom({}, server), (ReceivePlan{{1, 4}, {}, {}, {}, false}));
}

TEST(ReceiveFromTest, GoesOnAfterTheLastWholeOne) {
  EXPECT_EQ(ReceiveFrom({Whole(1, 6), Whole(1, 5)}, Server(9 * kMb, 4)), (ReceivePlan{{1, 7}, {}, {}, {}, false}));
  EXPECT_EQ(ReceiveFrom({Whole(1, 8)}, Server(9 * kMb, 4)).begin, (Segment{1, 9}));
}

TEST(ReceiveFromTest, APartialOneIsReceivedAnewAndKept) {
  const ReceivePlan plan = ReceiveFrom({Whole(1, 5), Partial(1, 6, 500)}, Server(6 * kMb + 500, 4));
  EXPECT_EQ(plan.begin, (Segment{1, 6}));
  EXPECT_EQ(Names(plan.interrupted), Strings{"000000010000000000000006.lz4.partial"});
  EXPECT_TRUE(plan.left.empty());
}

TEST(ReceiveFromTest, PromotionInsideASegment) {
  const ReceivePlan plan = ReceiveFrom({Whole(1, 5), Partial(1, 6, 1000)}, Server(6 * kMb + 2000, 4, kPromotedInside));
  EXPECT_EQ(plan.begin, (Segment{2, 6}));
  EXPECT_EQ(Names(plan.interrupted), Strings{"000000010000000000000006.lz4.partial"});
  EXPECT_TRUE(plan.left.empty());
}

TEST(ReceiveFromTest, PromotionAtABoundaryBeginsInTheNewTimeline) {
  EXPECT_EQ(ReceiveFrom({Whole(1, 5)}, Server(6 * kMb + 2000, 4, kPromotedAtBoundary)),
            (ReceivePlan{{2, 6}, {}, {}, {}, false}));
  EXPECT_EQ(ReceiveFrom({Whole(1, 5), Partial(1, 6, 0)}, Server(6 * kMb + 2000, 4, kPromotedAtBoundary)).begin,
            (Segment{2, 6}));
}

TEST(ReceiveFromTest, WhatARewoundNodeWroteBeyondTheForkLeaves) {
  const ReceivePlan plan =
      ReceiveFrom({Whole(1, 5), Whole(1, 6), Whole(1, 7), Partial(1, 8, 100)}, Server(9 * kMb, 4, kPromotedInside));
  EXPECT_EQ(plan.begin, (Segment{2, 6}));
  EXPECT_EQ(Names(plan.left), (Strings{"000000010000000000000006.lz4", "000000010000000000000007.lz4",
                                       "000000010000000000000008.lz4.partial"}));
  // Its last, partial, segment is that of the fork and longer.
  const ReceivePlan longer = ReceiveFrom({Whole(1, 5), Partial(1, 6, 1001)}, Server(9 * kMb, 4, kPromotedInside));
  EXPECT_EQ(longer.begin, (Segment{2, 6}));
  EXPECT_EQ(Names(longer.left), Strings{"000000010000000000000006.lz4.partial"});
}

TEST(ReceiveFromTest, AnotherBranchLeavesWithItsHistory) {
  const ReceivePlan plan = ReceiveFrom({Whole(1, 5), Whole(3, 6), Whole(2, 6), HistoryFile(2), HistoryFile(3)},
                                       Server(9 * kMb, 4, kPromotedInside));
  EXPECT_EQ(plan.begin, (Segment{2, 7}));
  EXPECT_EQ(Names(plan.left), (Strings{"000000030000000000000006.lz4", "00000003.history"}));
}

TEST(ReceiveFromTest, TwoPromotions) {
  const History apart{3, {{1, 6 * kMb + 1000}, {2, 8 * kMb}}};
  EXPECT_EQ(ReceiveFrom({Whole(1, 5)}, Server(9 * kMb, 4, apart)).begin, (Segment{2, 6}));
  EXPECT_EQ(ReceiveFrom({Whole(1, 5), Whole(2, 6), Whole(2, 7)}, Server(9 * kMb, 4, apart)).begin, (Segment{3, 8}));
  const History in_one{3, {{1, 6 * kMb + 1000}, {2, 6 * kMb + 2000}}};
  const ReceivePlan plan =
      ReceiveFrom({Whole(1, 5), Partial(1, 6, 1000), Partial(2, 6, 2000)}, Server(7 * kMb, 4, in_one));
  EXPECT_EQ(plan.begin, (Segment{3, 6}));
  EXPECT_EQ(plan.interrupted.size(), 2U);
}

TEST(ReceiveFromTest, WhatTheServerHasRemovedIsAGap) {
  EXPECT_EQ(ReceiveFrom({Whole(1, 5)}, Server(20 * kMb, 9)),
            (ReceivePlan{{1, 9}, {}, {}, WalGap{{1, 6}, {1, 8}}, false}));
  const ReceivePlan plan = ReceiveFrom({Whole(1, 5), Partial(1, 6, 9)}, Server(20 * kMb, 9));
  EXPECT_EQ(plan.gap, (WalGap{{1, 6}, {1, 8}}));
  EXPECT_EQ(plan.interrupted.size(), 1U);
  EXPECT_EQ(ReceiveFrom({Whole(1, 5)}, Server(20 * kMb, 8, kPromotedInside)).gap, (WalGap{{2, 6}, {2, 7}}));
}

TEST(ReceiveFromTest, AServerOfAnOlderStateHasNotWhatLiesBeyondItsEnd) {
  const std::vector<StoredWal> files = {Whole(1, 5), Whole(1, 6), Whole(1, 7), Partial(1, 8, 100)};
  const ReceivePlan plan = ReceiveFrom(files, Server(6 * kMb + 1000, 4));
  EXPECT_EQ(plan.begin, (Segment{1, 6}));
  EXPECT_FALSE(plan.ahead);
  EXPECT_EQ(plan.left.size(), 3U);
  const ReceivePlan by_bytes = ReceiveFrom(files, Server(8 * kMb + 99, 4));
  EXPECT_EQ(by_bytes.begin, (Segment{1, 8}));
  EXPECT_EQ(by_bytes.left.size(), 1U);
}

TEST(ReceiveFromTest, AStandbyThatReplaysWillHaveIt) {
  ServerWal standby = Server(6 * kMb + 1000, 4);
  standby.in_recovery = true;
  const ReceivePlan plan = ReceiveFrom({Whole(1, 5), Whole(1, 6), Partial(1, 7, 100)}, standby);
  EXPECT_TRUE(plan.ahead);
  EXPECT_TRUE(plan.left.empty());
  standby.end = 7 * kMb + 100;
  EXPECT_FALSE(ReceiveFrom({Whole(1, 5), Whole(1, 6), Partial(1, 7, 100)}, standby).ahead);
}

TEST(ReceiveFromTest, TheOldestIsTheFirstWithoutABreakToTheEnd) {
  const auto oldest = [](std::vector<Segment> segments, const History& history, Lsn end) {
    Strings names = {"archive_status", "00000002.history", "summaries"};
    for (const Segment& segment : segments) names.push_back(SegmentName(segment, kMb));
    return OldestOf(names, history, end, kMb);
  };
  const std::vector<Segment> all = {{1, 3}, {1, 5}, {1, 6}, {1, 7}, {1, 8}, {1, 9}};  // and recycled ones
  EXPECT_EQ(oldest(all, {}, 7 * kMb + 5), 5U);
  EXPECT_EQ(oldest(all, {}, 8 * kMb), 5U);
  EXPECT_EQ(oldest({{1, 5}, {1, 6}}, {}, 7 * kMb), 5U);  // that of the end is not there yet
  EXPECT_EQ(oldest({}, {}, 7 * kMb), 7U);
  EXPECT_EQ(oldest({{1, 5}, {1, 6}, {2, 6}, {2, 7}}, kPromotedInside, 7 * kMb + 1), 5U);
  EXPECT_EQ(oldest({{1, 5}, {1, 6}, {2, 7}}, kPromotedInside, 7 * kMb + 1), 7U);
}

}  // namespace
