#include "core/recovery/reach.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;

constexpr std::int64_t kSegment = 16 * 1024 * 1024;

Lsn At(std::uint64_t segment) { return segment * static_cast<Lsn>(kSegment); }

BaseRecord Base(const std::string& id, UtcSeconds finished, Lsn start, Lsn end) {
  return {.id = id, .segment_bytes = kSegment, .start = start, .end = end, .finished_at = finished};
}

WalStretch Stretch(std::uint64_t from, std::uint64_t to, bool partial = false) {
  return {At(from), At(to), {1, from}, {1, partial ? to : to - 1}, partial};
}

TEST(Reach, FromTheOldestBaseToTheNewestWal) {
  const std::vector<BaseRecord> bases{Base("b", 200, At(6), At(7)), Base("a", 100, At(4), At(5))};
  const auto reached = ReachOf(bases, {{Stretch(3, 9, true)}, {}});
  ASSERT_EQ(reached.size(), 1U);
  EXPECT_EQ(reached[0].base, "a");
  EXPECT_EQ(reached[0].from, 100);
  EXPECT_EQ(reached[0].to, At(10)) << "to the end of the segment that is being received";
  EXPECT_TRUE(reached[0].to_newest);
  EXPECT_TRUE(ReachOf({}, {{Stretch(3, 9, true)}, {}}).empty());
  EXPECT_TRUE(ReachOf(bases, {{Stretch(7, 9, true)}, {}}).empty()) << "without the WAL of the bases";
}

TEST(Reach, ABaseThatEndedInWhatIsBeingReceived) {
  EXPECT_EQ(ReachOf({Base("a", 100, At(8) + 40, At(9) + 300)}, {{Stretch(8, 9, true)}, {}}).size(), 1U);
  EXPECT_EQ(ReachOf({Base("a", 100, At(8) + 40, At(9) + 300)}, {{Stretch(8, 9)}, {}}).size(), 0U);
  EXPECT_EQ(ReachOf({Base("a", 100, At(8) + 40, At(10) + 300)}, {{Stretch(8, 9, true)}, {}}).size(), 0U);
}

TEST(Reach, AGapEndsIt) {
  const WalGap gap{{1, 9}, {1, 10}};
  const WalLine line{{Stretch(3, 9), Stretch(11, 20, true)}, {gap}};
  const auto without = ReachOf({Base("a", 100, At(4), At(5))}, line);
  ASSERT_EQ(without.size(), 1U);
  EXPECT_FALSE(without[0].to_newest);
  EXPECT_EQ(without[0].gap, gap);
  const auto with = ReachOf({Base("a", 100, At(4), At(5)), Base("b", 200, At(12), At(13))}, line);
  ASSERT_EQ(with.size(), 2U);
  EXPECT_EQ(with[1].base, "b");
  EXPECT_TRUE(with[1].to_newest);
}

}  // namespace
