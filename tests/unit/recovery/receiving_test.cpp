#include "os/recovery/receiving.h"

#include "store_support.h"

namespace {

using namespace mfi::core;
using namespace mfi::test;
using mfi::os::ListDirectory;
using Strings = std::vector<std::string>;

constexpr char kFive[] = "000000010000000000000005.lz4";
constexpr char kSix[] = "000000010000000000000006.lz4";
constexpr char kSixPartial[] = "000000010000000000000006.lz4.partial";

class ReceivingTest : public StoreFixture {
 protected:
  ReceivingTest() { Write(Wal(kFive), Lz4(content_)); }

  static ServerWal Server(Lsn end, History history = {}) {
    return {std::move(history), kSegmentBytes, end, false, 3, 0};
  }
  std::string Part(std::size_t size, unsigned seed = 1) const { return Lz4(Content(size, seed), false); }
  ReceivePlan Prepare(const ServerWal& server) { return mfi::os::PrepareReceiving(store_, server, host_); }

  const std::string content_ = Content(kSegmentBytes);
  static constexpr Lsn kSixth = 6 * kSegmentBytes;
};

TEST_F(ReceivingTest, HoldsTheEmptyFileThatSaysWhereToBegin) {
  Write(Receiving("00000002.history.lz4.tmp"), "");
  Write(Receiving("left by a crash"), "");
  EXPECT_EQ(Prepare(Server(kSixth + 5)).begin, (Segment{1, 6}));
  EXPECT_EQ(ListDirectory(store_.ReceivingPath()), Strings{kSixPartial});
  EXPECT_EQ(mfi::os::FileSize(Receiving(kSixPartial)), 0);
  EXPECT_EQ(ListDirectory(store_.WalPath()), Strings{kFive});
}

TEST_F(ReceivingTest, OfPartialOnesThatWithTheMostStays) {
  for (const std::size_t size : {9'000, 20'000, 8'000, 20'000, 0, 30'000}) {
    Write(Receiving(kSixPartial), size == 0 ? "" : Part(size));
    Prepare(Server(kSixth + 50'000));
  }
  EXPECT_EQ(ListDirectory(store_.AsidePath()),
            (Strings{kSixPartial, kSixPartial + std::string(".1"), kSixPartial + std::string(".2")}));
  EXPECT_EQ(mfi::os::ReadFile(Aside(kSixPartial + std::string(".2"))), Part(30'000));
}

TEST_F(ReceivingTest, PartialOnesGoWhenTheSegmentIsWhole) {
  Write(Aside(kSixPartial), Part(9'000));
  Write(Aside(kSixPartial + std::string(".1")), Part(10'000));
  Write(Aside("000000010000000000000007.lz4.partial"), Part(9'000));
  Write(Aside(kSixPartial + std::string(".left")), Part(9'000));
  Write(Receiving(kSix), Lz4(content_));
  Write(Receiving("000000010000000000000007.lz4.partial"), Part(100));
  EXPECT_EQ(mfi::os::TakeFinished(store_, Server(kSixth), host_), "");
  EXPECT_EQ(ListDirectory(store_.WalPath()), (Strings{kFive, kSix}));
  EXPECT_EQ(ListDirectory(store_.ReceivingPath()), Strings{"000000010000000000000007.lz4.partial"});
  EXPECT_EQ(ListDirectory(store_.AsidePath()),
            (Strings{kSixPartial + std::string(".left"), "000000010000000000000007.lz4.partial"}));
}

TEST_F(ReceivingTest, AFinishedOneThatCannotBeReadIsToldAndReceivedAgain) {
  Write(Receiving(kSix), "");  // as a receiver makes it whose file was taken away
  EXPECT_EQ(mfi::os::TakeFinished(store_, Server(9 * kSegmentBytes), host_), kSix);
  EXPECT_EQ(ListDirectory(store_.AsidePath()), Strings{kSix + std::string(".left")});
  EXPECT_EQ(Prepare(Server(9 * kSegmentBytes)).begin, (Segment{1, 6}));
}

TEST_F(ReceivingTest, WhatLeftTheHistoryIsNotReadAnyMore) {
  const History history{2, {{1, kSixth + 1000}}};
  Write(Wal(kSix), Lz4(content_));
  Write(Wal("00000003.history.lz4"), "");
  Write(Receiving("000000010000000000000007.lz4"), Lz4(content_));
  Write(Receiving("000000010000000000000008.lz4.partial"), Part(500));
  Write(Aside("000000010000000000000008.lz4.partial"), Part(400));
  EXPECT_EQ(Prepare(Server(9 * kSegmentBytes, history)).begin, (Segment{2, 6}));
  EXPECT_EQ(ListDirectory(store_.WalPath()), Strings{kFive});
  EXPECT_EQ(ListDirectory(store_.ReceivingPath()), Strings{"000000020000000000000006.lz4.partial"});
  EXPECT_EQ(ListDirectory(store_.AsidePath()),
            (Strings{kSix + std::string(".left"), "000000010000000000000007.lz4.left",
                     "000000010000000000000008.lz4.partial.left", "000000010000000000000008.lz4.partial.left.1",
                     "00000003.history.lz4.left"}));
}

TEST_F(ReceivingTest, OfAServerRestoredToAnOlderStateThePartialOnesGoAsideToo) {
  Write(Aside(kSixPartial), Part(9'000));
  Write(Receiving(kSixPartial), Part(3'000));
  EXPECT_EQ(Prepare(Server(kSixth + 5'000)).begin, (Segment{1, 6}));
  EXPECT_EQ(ListDirectory(store_.AsidePath()), (Strings{kSixPartial, kSixPartial + std::string(".left")}));
  EXPECT_EQ(mfi::os::ReadFile(Aside(kSixPartial)), Part(3'000));
}

TEST_F(ReceivingTest, NothingIsTouchedWhileAStandbyIsBehindTheStore) {
  Write(Receiving(kSixPartial), Part(9'000));
  ServerWal standby = Server(kSixth + 5'000);
  standby.in_recovery = true;
  EXPECT_TRUE(Prepare(standby).ahead);
  EXPECT_EQ(mfi::os::ReadFile(Receiving(kSixPartial)), Part(9'000));
  EXPECT_TRUE(ListDirectory(store_.AsidePath()).empty());
}

}  // namespace
