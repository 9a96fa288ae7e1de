#include "os/recovery/wal_fetch.h"

#include <fcntl.h>

#include "os/recovery/seal.h"
#include "os/recovery/wal_reader.h"
#include "store_support.h"

namespace {

using namespace mfi::core;
using namespace mfi::test;
using mfi::os::Exists;
using mfi::os::FetchedSegment;
using mfi::os::FetchSegment;

constexpr char kName[] = "000000010000000000000005";

/// Positions to `last`: all near the beginning and the end, some between.
std::vector<std::size_t> Cuts(std::size_t last) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = 0; at <= last; ++at) {
    if (at < 40 || at + 40 > last || at % (last / 200 + 1) == 0) cuts.push_back(at);
  }
  return cuts;
}

class WalFetchTest : public StoreFixture {
 protected:
  FetchedSegment Fetch() { return FetchSegment(store_, {1, 5}, kSegmentBytes, Target(), host_); }

  std::string Fetched() const { return mfi::os::ReadFile(Target()); }

  /// The error, after which there is no file.
  Error Damage() {
    const Error error = ErrorOf([&] { Fetch(); });
    EXPECT_FALSE(Exists(Target()));
    EXPECT_FALSE(Exists(Target() + ".tmp"));
    return error;
  }

  /// What a file without its content checksum decodes to.
  std::string Means(const std::string& path, std::string frame) {
    frame[4] = static_cast<char>(frame[4] & ~0x04);
    frame[6] = plain_[6];
    Write(path + ".plain", frame);
    const mfi::os::UniqueFd fd(open((path + ".plain").c_str(), O_RDONLY));
    std::string content;
    mfi::os::ReadWal(fd.get(), path, true, kSegmentBytes, host_, [&](std::string_view piece) { content += piece; });
    return content;
  }

  static std::string Filled(std::string content) {
    content.resize(kSegmentBytes, '\0');
    return content;
  }

  const std::string content_ = Content(kSegmentBytes);
  const std::string plain_ = Lz4(content_);
};

TEST_F(WalFetchTest, NoneIsNone) {
  EXPECT_FALSE(Fetch().found);
  EXPECT_FALSE(Exists(Target()));
}

TEST_F(WalFetchTest, AWholeOneFromEachPlace) {
  for (const std::string& path :
       {Wal(kName), Wal(kName + std::string(".lz4")), Receiving(kName + std::string(".lz4"))}) {
    Write(path, path.ends_with(".lz4") ? Lz4(content_) : content_);
    const FetchedSegment fetched = Fetch();
    EXPECT_TRUE(fetched.found);
    EXPECT_EQ(fetched.bytes, kSegmentBytes);
    EXPECT_EQ(Fetched(), content_);
    EXPECT_EQ(ModeOf(Target()), 0600U);
    mfi::os::RemoveTree(path);
    mfi::os::RemoveTree(Target());
  }
}

TEST_F(WalFetchTest, AnotherTimelinesIsNot) {
  Write(Wal("000000020000000000000005.lz4"), Lz4(content_));
  EXPECT_FALSE(Fetch().found);
}

TEST_F(WalFetchTest, GarbageBehindTheFrameCountsForNothing) {
  Write(Wal(kName + std::string(".lz4")), Lz4(content_) + Content(5000, 9));
  EXPECT_EQ(Fetch().bytes, kSegmentBytes);
  EXPECT_EQ(Fetched(), content_);
}

TEST_F(WalFetchTest, APartialOneCutAnywhereIsAPrefix) {
  const std::string part = content_.substr(0, 30'000);
  const std::string frame = Lz4(part, false);
  std::int64_t before = 0;
  for (const std::size_t length : Cuts(frame.size())) {
    Write(Receiving(kName + std::string(".lz4.partial")), frame.substr(0, length));
    const FetchedSegment fetched = Fetch();
    ASSERT_TRUE(fetched.found);
    ASSERT_GE(fetched.bytes, before);
    before = fetched.bytes;
    ASSERT_EQ(Fetched(), Filled(part.substr(0, static_cast<std::size_t>(fetched.bytes)))) << length;
  }
  EXPECT_EQ(before, 30'000);
}

TEST_F(WalFetchTest, APartialOneGivesAllThatWasFlushed) {
  // A flush may end a block anywhere, so that what is read at once does not fit where it is unpacked.
  for (const std::size_t piece : {1'000UL, 4'097UL, 24'576UL, 40'000UL, 65'535UL, 65'536UL, 100'000UL}) {
    for (const std::size_t size : {40'000UL, 65'537UL, 80'000UL, 131'072UL, 340'128UL, 1'000'001UL}) {
      Write(Receiving(kName + std::string(".lz4.partial")), Lz4(content_.substr(0, size), false, piece));
      ASSERT_EQ(Fetch().bytes, static_cast<std::int64_t>(size)) << piece;
      ASSERT_EQ(Fetched(), Filled(content_.substr(0, size))) << piece;
    }
  }
}

TEST_F(WalFetchTest, OfPartialOnesTheOneThatHoldsTheMost) {
  const auto part = [&](std::size_t size) { return Lz4(content_.substr(0, size), false); };
  Write(Receiving(kName + std::string(".lz4.partial")), "");
  EXPECT_EQ(Fetch().bytes, 0);
  Write(Aside(kName + std::string(".lz4.partial")), part(20'000));
  Write(Aside(kName + std::string(".lz4.partial.1")), part(50'000));
  Write(Aside(kName + std::string(".lz4.partial.left")), part(90'000));
  EXPECT_EQ(Fetch().bytes, 50'000);
  EXPECT_EQ(Fetched(), Filled(content_.substr(0, 50'000)));
  Write(Receiving(kName + std::string(".lz4.partial")), part(60'000));
  EXPECT_EQ(Fetch().bytes, 60'000);
  Write(Receiving(kName + std::string(".partial")), Filled(content_.substr(0, 70'000) + "x"));
  EXPECT_EQ(Fetch().bytes, 70'001);
  EXPECT_EQ(Fetched(), Filled(content_.substr(0, 70'000) + "x"));
}

TEST_F(WalFetchTest, AWholeOneOfAnotherSizeIsDamaged) {
  for (const std::string& wrong : {content_ + "x", content_.substr(1), std::string()}) {
    Write(Wal(kName), wrong);
    EXPECT_EQ(Damage().sqlstate(), sqlstate::kDataCorrupted);
    mfi::os::RemoveTree(Wal(kName));
    Write(Wal(kName + std::string(".lz4")), Lz4(wrong));
    EXPECT_EQ(Damage().sqlstate(), sqlstate::kDataCorrupted);
    mfi::os::RemoveTree(Wal(kName + std::string(".lz4")));
  }
}

TEST_F(WalFetchTest, AWholeOneCutAnywhereIsDamaged) {
  const std::string frame = Lz4(content_);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{4}, std::size_t{5}, frame.size() / 2, frame.size()}) {
    Write(Wal(kName + std::string(".lz4")), frame.substr(0, frame.size() - cut));
    EXPECT_EQ(Damage().sqlstate(), sqlstate::kDataCorrupted) << cut;
  }
}

TEST_F(WalFetchTest, EveryFlippedByteOfASealedOneIsFound) {
  const std::string path = Wal(kName + std::string(".lz4"));
  Write(path, Lz4(content_) + "what was behind it");
  ASSERT_TRUE(mfi::os::SealSegment(path, kSegmentBytes, host_));
  const std::string sealed = mfi::os::ReadFile(path);
  ASSERT_TRUE(mfi::os::SealSegment(path, kSegmentBytes, host_));
  EXPECT_EQ(mfi::os::ReadFile(path), sealed);
  EXPECT_EQ(sealed.size(), Lz4(content_).size() + 4);
  EXPECT_EQ(Fetch().bytes, kSegmentBytes);
  EXPECT_EQ(Fetched(), content_);
  mfi::os::RemoveTree(Target());
  int found = 0;
  for (const std::size_t at : Cuts(sealed.size() - 1)) {
    std::string flipped = sealed;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    Write(path, flipped);
    // In a run of one byte, lz4 has several ways to say the same.
    if (at > 7 && at + 8 < sealed.size() && Means(path, flipped) == content_) continue;
    EXPECT_EQ(Damage().sqlstate(), sqlstate::kDataCorrupted) << at;
    ++found;
  }
  EXPECT_GT(found, 200);
}

TEST_F(WalFetchTest, WhatIsNoSegmentIsNotSealed) {
  const std::string path = Wal(kName + std::string(".lz4"));
  for (const std::string& text : {std::string(), std::string("no frame"), Lz4("short"), Lz4(content_, false)}) {
    Write(path, text);
    EXPECT_FALSE(mfi::os::SealSegment(path, kSegmentBytes, host_));
    EXPECT_EQ(mfi::os::ReadFile(path), text);
  }
}

TEST_F(WalFetchTest, CanBeStoppedAndLeavesNothing) {
  Write(Wal(kName), content_);
  host_.stop_when = [] { return true; };
  EXPECT_THROW(Fetch(), Stop);
  EXPECT_FALSE(Exists(Target() + ".tmp"));
}

TEST_F(WalFetchTest, ALinkIsNotFollowed) {
  Write(temporary_ / "secret", content_);
  mfi::os::ReplaceSymlink(Wal(kName), temporary_ / "secret");
  EXPECT_THROW(Fetch(), Error);
  EXPECT_FALSE(Exists(Target()));
}

}  // namespace
