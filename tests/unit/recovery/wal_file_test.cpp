#include "core/recovery/wal_file.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;

constexpr std::int64_t kMb = 1024 * 1024;

TEST(WalFileTest, NamesFollowTheSizeOfSegments) {
  EXPECT_EQ(SegmentName({2, 5}, 16 * kMb), "000000020000000000000005");
  EXPECT_EQ(SegmentName({1, 256}, 16 * kMb), "000000010000000100000000");
  EXPECT_EQ(SegmentName({1, 4095}, kMb), "000000010000000000000FFF");
  EXPECT_EQ(SegmentName({1, 4096}, kMb), "000000010000000100000000");
  EXPECT_EQ(SegmentName({0xABCDEF01, 7}, 1024 * kMb), "ABCDEF010000000100000003");
}

TEST(WalFileTest, NamesPositionsAndSegmentsAgreeForEverySize) {
  for (std::int64_t bytes = kMb; bytes <= 1024 * kMb; bytes *= 2) {
    const std::uint64_t of_log_id = (std::uint64_t{1} << 32U) / static_cast<std::uint64_t>(bytes);
    for (const std::uint64_t number :
         {std::uint64_t{1}, of_log_id - 1, of_log_id, of_log_id + 1, 1000 * of_log_id - 1}) {
      const Segment segment{3, number};
      const Lsn begin = BeginOf(segment, bytes);
      EXPECT_EQ(SegmentAt(3, begin, bytes), segment);
      EXPECT_EQ(SegmentAt(3, begin + static_cast<std::uint64_t>(bytes) - 1, bytes), segment);
      EXPECT_EQ(SegmentAt(3, begin - 1, bytes).number, number - 1);
      const auto file = ParseWalFile(SegmentName(segment, bytes), bytes);
      ASSERT_TRUE(file) << number << " of " << bytes;
      EXPECT_EQ(file->segment, segment);
    }
    EXPECT_FALSE(ParseWalFile(SegmentName({1, 0}, bytes).substr(0, 16) + "0000FFFF", bytes));
  }
}

TEST(WalFileTest, EveryFileOfAReceiverIsKnown) {
  const std::string name = "000000020000000000000005";
  const auto is = [](const std::string& text, WalFileKind kind, bool compressed, Segment segment) {
    const auto file = ParseWalFile(text, 16 * kMb);
    ASSERT_TRUE(file) << text;
    EXPECT_EQ(*file, (WalFile{kind, segment, compressed, text})) << text;
  };
  is(name, WalFileKind::kWhole, false, {2, 5});
  is(name + ".lz4", WalFileKind::kWhole, true, {2, 5});
  is(name + ".partial", WalFileKind::kPartial, false, {2, 5});
  is(name + ".lz4.partial", WalFileKind::kPartial, true, {2, 5});
  is("0000000A.history", WalFileKind::kHistory, false, {10, 0});
  is("0000000A.history.lz4", WalFileKind::kHistory, true, {10, 0});
  EXPECT_EQ(HistoryName(10), "0000000A.history");
}

TEST(WalFileTest, OtherNamesAreNone) {
  for (const std::string name : {"",
                                 ".",
                                 "..",
                                 "000000010000000000000001.gz",
                                 "00000001000000000000000",
                                 "0000000100000000000000010",
                                 "00000001000000000000000g",
                                 "00000001000000000000000a",
                                 "000000000000000000000001",
                                 "+00000010000000000000001",
                                 "000000010000000000000001.partial.lz4",
                                 "000000010000000000000001.lz4.lz4",
                                 "000000010000000000000001.lz4.partial.1",
                                 "000000010000000000000001.lz4 ",
                                 "../00000010000000000001.lz4",
                                 "000000010000000000000001.00000028.backup",
                                 "00000001.history",
                                 "00000000.history",
                                 "0000002.history",
                                 "00000002.history.partial",
                                 "00000002.history.lz4.partial",
                                 "00000002.history.lz4.tmp",
                                 ".history",
                                 ".lz4",
                                 ".partial",
                                 ".lz4.partial",
                                 "000000010000000000000100"}) {
    EXPECT_FALSE(ParseWalFile(name, 16 * kMb)) << name;
  }
  EXPECT_FALSE(ParseWalFile(std::string("00000001000000000000000\0", 24), 16 * kMb));
}

}  // namespace
