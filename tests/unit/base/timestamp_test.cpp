#include "core/base/timestamp.h"

#include <gtest/gtest.h>

#include <utility>

namespace {

using mfi::core::FormatBytes;
using mfi::core::FormatCompact;
using mfi::core::FormatDuration;
using mfi::core::FormatIso;
using mfi::core::kDay;
using mfi::core::kHour;
using mfi::core::ParseTimestamp;

constexpr std::int64_t kMegabyte = 1024 * 1024;

TEST(Timestamp, HasTwoForms) {
  EXPECT_EQ(FormatIso(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatIso(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(FormatIso(-kDay), "1969-12-31T00:00:00Z");
  EXPECT_EQ(FormatIso(1'795'312'800), "2026-11-22T02:00:00Z");
  EXPECT_EQ(FormatCompact(1'795'312'800), "20261122T020000Z");
}

TEST(Timestamp, ReadsBothFormsBack) {
  for (mfi::core::UtcSeconds at = -17'987'443'200; at < 253'402'300'800; at += 98'765'432'1) {
    EXPECT_EQ(ParseTimestamp(FormatIso(at)), at);
    EXPECT_EQ(ParseTimestamp(FormatCompact(at)), at);
  }
  EXPECT_EQ(ParseTimestamp("1400-01-01T00:00:00Z"), -17'987'443'200);
  EXPECT_EQ(ParseTimestamp("9999-12-31T23:59:59Z"), 253'402'300'799);
  EXPECT_EQ(ParseTimestamp("20240229T000000Z"), 1'709'164'800);
}

TEST(Timestamp, RefusesWhatIsNeither) {
  for (const char* text : {"",
                           "now",
                           "2026-11-22",
                           "2026-11-22T02:00:00",
                           "2026-11-22 02:00:00Z",
                           "2026-11-22T02:00:00z",
                           "2026-11-22T02:00:00+00",
                           "20261122T0200Z",
                           "20261122020000Z",
                           "2026-1a-22T02:00:00Z",
                           "2026-00-22T02:00:00Z",
                           "2026-13-22T02:00:00Z",
                           "2026-11-00T02:00:00Z",
                           "2026-11-31T02:00:00Z",
                           "2026-02-29T02:00:00Z",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T02:60:00Z",
                           "2026-11-22T02:00:60Z",
                           "1399-12-31T00:00:00Z",
                           "-026-11-22T02:00:00Z",
                           "2026-11-22T02:00:00Z ",
                           "2026+11+22T02:00:00Z"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
}

TEST(Timestamp, DurationsAsAPersonSaysThem) {
  for (const auto& [seconds, text] : {std::pair(std::int64_t{0}, "0 s"),
                                      {119, "119 s"},
                                      {120, "2 min"},
                                      {2 * kHour - 1, "119 min"},
                                      {2 * kHour, "2 h"},
                                      {26 * kHour, "26 h"},
                                      {2 * kDay - 1, "47 h"},
                                      {2 * kDay, "2 days"},
                                      {9 * kDay + 1, "9 days"},
                                      {-5, "-5 s"}}) {
    EXPECT_EQ(FormatDuration(seconds), text);
  }
}

TEST(Timestamp, SizesAsAPersonSaysThem) {
  for (const auto& [bytes, text] : {std::pair(std::int64_t{0}, "0 bytes"),
                                    {10239, "10239 bytes"},
                                    {10240, "10 kB"},
                                    {500'000, "488 kB"},
                                    {kMegabyte, "1.0 MB"},
                                    {16 * kMegabyte, "16 MB"},
                                    {1536 * kMegabyte, "1.5 GB"},
                                    {20480 * kMegabyte, "20 GB"},
                                    {-3, "-3 bytes"}}) {
    EXPECT_EQ(FormatBytes(bytes), text);
  }
}

}  // namespace
