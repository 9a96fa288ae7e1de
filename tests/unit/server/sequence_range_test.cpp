#include <gtest/gtest.h>

#include <limits>

#include "os/server/contents_reader.h"

namespace {

using mfi::os::RangeOf;
using mfi::os::RecoveredRangeOf;
using mfi::os::SequenceState;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

/// What a dump may hold, as `low..high`.
std::string Range(SequenceState state, std::int64_t before, std::int64_t after) {
  state.position = before;
  SequenceState later = state;
  later.position = after;
  const auto range = RangeOf("s", state, later);
  return std::to_string(range.low) + ".." + std::to_string(range.high);
}

TEST(SequenceRange, IsWhatWasReadBeforeAndAfter) {
  const SequenceState up{.position = 0, .least = 1, .most = kMost, .upward = true, .cycles = false};
  EXPECT_EQ(Range(up, 7, 7), "7..7");
  EXPECT_EQ(Range(up, 7, 9), "7..9");
  const SequenceState down{.position = 0, .least = -kMost, .most = -1, .upward = false, .cycles = false};
  EXPECT_EQ(Range(down, -7, -9), "-9..-7");
}

TEST(SequenceRange, OfOneThatWasSetBackIsAll) {
  const SequenceState up{.position = 0, .least = 1, .most = 100'000'000'000, .upward = true, .cycles = false};
  EXPECT_EQ(Range(up, 9, 7), "1..100000000000");
  EXPECT_EQ(Range(up, 9, 0), "0..100000000000");
  const SequenceState down{.position = 0, .least = -50, .most = -1, .upward = false, .cycles = false};
  EXPECT_EQ(Range(down, -9, -7), "-50..-1");
}

TEST(SequenceRange, OfOneThatCyclesIsAllOnceItMoves) {
  const SequenceState cycle{.position = 0, .least = 1, .most = kMost, .upward = true, .cycles = true};
  EXPECT_EQ(Range(cycle, 7, 7), "7..7");
  EXPECT_EQ(Range(cycle, 7, 9), "1.." + std::to_string(kMost));
  const SequenceState soon_around{.position = 0, .least = 1, .most = 3, .upward = true, .cycles = true};
  EXPECT_EQ(Range(soon_around, 2, 2), "1..3");
}

std::string Recovered(SequenceState state, std::int64_t before, std::int64_t after) {
  state.position = before;
  SequenceState later = state;
  later.position = after;
  const auto range = RecoveredRangeOf("s", state, later);
  return std::to_string(range.low) + ".." + std::to_string(range.high);
}

TEST(SequenceRange, RecoveryShowsWhatWasLoggedAhead) {
  const SequenceState up{.least = 1, .most = kMost, .step = 2};
  EXPECT_EQ(Recovered(up, 7, 9), "7..73");
  EXPECT_EQ(Recovered(up, 7, kMost - 5), "7.." + std::to_string(kMost));
  EXPECT_EQ(Recovered({.least = 1, .most = 20, .step = 1}, 7, 9), "7..20");
  EXPECT_EQ(Recovered({.least = -kMost, .most = -1, .upward = false, .step = -1}, -7, -9), "-41..-7");
  EXPECT_EQ(Recovered({.least = 1, .most = 50, .cycles = true, .step = 1}, 7, 7), "1..50");
}

}  // namespace
