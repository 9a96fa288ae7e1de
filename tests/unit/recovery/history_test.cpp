#include "core/recovery/history.h"

#include "support.h"

namespace {

using namespace mfi::core;
using mfi::test::ErrorOf;

constexpr std::int64_t kMb = 1024 * 1024;
constexpr char kText[] =
    "1\t0/9587F0\tno recovery target specified\n"
    "\n"
    "# somebody's words\n"
    "2\t0/A000000\tbefore 2026-11-24 13:04:30+02\n"
    "4\t1/A000010\tat restore point \"3\t0/0\"";

TEST(TimelineHistoryTest, ReadsWhatPostgresWrites) {
  const History history = ParseHistory(5, kText);
  EXPECT_EQ(history, (History{5, {{1, 0x9587F0}, {2, 0xA000000}, {4, 0x10A000010}}}));
  EXPECT_EQ(ParseHistory(2, "1\t0/5000000\tx\r\n"), (History{2, {{1, 0x5000000}}}));
  EXPECT_EQ(ParseHistory(2, "  1 0/5000000"), (History{2, {{1, 0x5000000}}}));
  EXPECT_EQ(ParseHistory(1, ""), History());
}

TEST(TimelineHistoryTest, DamagedOnesAreRefused) {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s, "# nothing\n"s, "1"s, "1\t"s, "1\tx"s, "1\t0/0\tx"s, "x\t0/5\ty"s, "0\t0/5\ty"s, "-1\t0/5\ty"s,
        "99999999999\t0/5\ty"s, "5\t0/5\ty"s, "6\t0/5\ty"s, "2\t0/5\ty\n1\t0/6\tz"s, "1\t0/5\ty\n1\t0/6\tz"s,
        "1\t0/7\ty\n2\t0/6\tz"s, "1\t0/5\ty\0\n"s, "1x\t0/5\ty"s, "1\t0/5"s + '\0'}) {
    const Error error = ErrorOf([&] { ParseHistory(5, text); });
    EXPECT_EQ(error.sqlstate(), sqlstate::kDataCorrupted) << text;
    EXPECT_EQ(std::string(error.what()).rfind("the history of timeline 5 is damaged: ", 0), 0U) << error.what();
  }
}

TEST(TimelineHistoryTest, EachByteBelongsToOneTimeline) {
  const History history = ParseHistory(5, kText);
  EXPECT_EQ(TimelineAt(history, 0), 1U);
  EXPECT_EQ(TimelineAt(history, 0x9587EF), 1U);
  EXPECT_EQ(TimelineAt(history, 0x9587F0), 2U);
  EXPECT_EQ(TimelineAt(history, 0xA000000), 4U);
  EXPECT_EQ(TimelineAt(history, 0x10A000010), 5U);
}

TEST(TimelineHistoryTest, ASegmentIsThatOfTheTimelineThatTookOverInIt) {
  const History history{3, {{1, 5 * kMb + 100}, {2, 8 * kMb}}};
  EXPECT_EQ(SegmentOf(history, 4, kMb), (Segment{1, 4}));
  EXPECT_EQ(SegmentOf(history, 5, kMb), (Segment{2, 5}));
  EXPECT_EQ(SegmentOf(history, 7, kMb), (Segment{2, 7}));
  EXPECT_EQ(SegmentOf(history, 8, kMb), (Segment{3, 8}));  // exactly at its beginning
  const History twice{3, {{1, 5 * kMb + 100}, {2, 5 * kMb + 200}}};
  EXPECT_EQ(SegmentOf(twice, 5, kMb), (Segment{3, 5}));
  const History last_byte{2, {{1, 6 * kMb - 1}}};
  EXPECT_EQ(SegmentOf(last_byte, 5, kMb), (Segment{2, 5}));
}

}  // namespace
