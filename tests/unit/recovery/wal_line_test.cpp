#include "core/recovery/wal_line.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;

constexpr std::int64_t kMb = 1024 * 1024;

WalFile File(std::uint32_t timeline, std::uint64_t number, WalFileKind kind = WalFileKind::kWhole) {
  return {kind, {timeline, number}, true, SegmentName({timeline, number}, kMb)};
}
WalFile Partial(std::uint32_t timeline, std::uint64_t number) { return File(timeline, number, WalFileKind::kPartial); }

WalLine Line(const std::vector<WalFile>& files, const History& history = {}) { return LineOf(files, history, kMb); }

TEST(WalLineTest, NothingIsNoStretch) { EXPECT_EQ(Line({}), WalLine()); }

TEST(WalLineTest, OneStretchWithAPartialEnd) {
  EXPECT_EQ(Line({Partial(1, 6), File(1, 4), File(1, 5)}), (WalLine{{{4 * kMb, 6 * kMb, {1, 4}, {1, 6}, true}}, {}}));
  EXPECT_EQ(Line({Partial(1, 6), File(1, 6)}), (WalLine{{{6 * kMb, 7 * kMb, {1, 6}, {1, 6}, false}}, {}}));
}

TEST(WalLineTest, AHoleIsNamedByItsSegments) {
  EXPECT_EQ(Line({File(1, 4), File(1, 8), Partial(1, 9)}),
            (WalLine{{{4 * kMb, 5 * kMb, {1, 4}, {1, 4}, false}, {8 * kMb, 9 * kMb, {1, 8}, {1, 9}, true}},
                     {{{1, 5}, {1, 7}}}}));
}

TEST(WalLineTest, APartialOneInTheMiddleIsTheBeginningOfAGap) {
  EXPECT_EQ(Line({File(1, 4), Partial(1, 5), File(1, 6)}),
            (WalLine{{{4 * kMb, 5 * kMb, {1, 4}, {1, 5}, true}, {6 * kMb, 7 * kMb, {1, 6}, {1, 6}, false}},
                     {{{1, 5}, {1, 5}}}}));
}

TEST(WalLineTest, FollowsThePromotions) {
  const History history{3, {{1, 5 * kMb + 100}, {2, 7 * kMb}}};
  // Timeline 1 went on for a while on the old primary, and its segment 5 is whole.
  const std::vector<WalFile> files = {File(1, 4), File(1, 5), File(1, 6), File(2, 5),   File(2, 6),
                                      File(2, 7), File(3, 7), File(4, 8), Partial(3, 8)};
  EXPECT_EQ(Line(files, history), (WalLine{{{4 * kMb, 8 * kMb, {1, 4}, {3, 8}, true}}, {}}));
}

TEST(WalLineTest, TheOlderTimelinesSegmentDoesNotReplaceThatOfTheNewer) {
  const History history{2, {{1, 5 * kMb + 100}}};
  EXPECT_EQ(Line({File(1, 4), File(1, 5), File(2, 6)}, history),
            (WalLine{{{4 * kMb, 5 * kMb, {1, 4}, {1, 4}, false}, {6 * kMb, 7 * kMb, {2, 6}, {2, 6}, false}},
                     {{{2, 5}, {2, 5}}}}));
}

}  // namespace
