#include "core/schedule/cron.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/error.h"
#include "zoneinfo.h"

namespace {

using mfi::core::Cron;
using mfi::core::Error;
using mfi::core::LocalMinute;
using mfi::test::Utc;

LocalMinute Local(const std::string& text) { return Utc(text + ":00") / 60; }

/// The first `count` matches from 2026-01-01 on, as offsets in minutes from then.
std::vector<LocalMinute> Matches(const std::string& text, std::size_t count) {
  const Cron cron = Cron::Parse(text);
  std::vector<LocalMinute> matches;
  const LocalMinute begin = Local("2026-01-01 00:00");
  LocalMinute from = begin;
  while (matches.size() < count) {
    const auto match = cron.FirstMatch(from, Local("2080-01-01 00:00"));
    if (!match) break;
    matches.push_back(*match - begin);
    from = *match + 1;
  }
  return matches;
}

struct BadText {
  std::string text;
  std::string message;
};

class CronRefuses : public testing::TestWithParam<BadText> {};

TEST_P(CronRefuses, WithTheFieldAndItsText) {
  try {
    Cron::Parse(GetParam().text);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), GetParam().message);
    EXPECT_EQ(error.sqlstate(), "22023");
    EXPECT_FALSE(error.hint().empty());
  }
}

std::string In(const std::string& field, const std::string& text, const std::string& schedule,
               const std::string& what) {
  return "invalid " + field + " field \"" + text + "\" in schedule \"" + schedule + "\": " + what;
}

INSTANTIATE_TEST_SUITE_P(
    BadTexts, CronRefuses,
    testing::Values(
        BadText{"", "schedule is empty"}, BadText{" \t ", "schedule is empty"},
        BadText{"daily", "schedule \"daily\" has 1 field instead of five"},
        BadText{"0 2 * *", "schedule \"0 2 * *\" has 4 fields instead of five"},
        BadText{"0 0 2 * * *", "schedule \"0 0 2 * * *\" has 6 fields instead of five"},
        BadText{"@daily 0 * * *", In("minute", "@daily", "@daily 0 * * *", "\"@daily\" is not 0 to 59")},
        BadText{"@nightly", "unknown schedule \"@nightly\""}, BadText{"@", "unknown schedule \"@\""},
        BadText{"@Reboot", "schedule \"@reboot\" is not supported"},
        BadText{"0 2 * * *\n", "schedule contains a character that is not printable ASCII, at position 10"},
        BadText{std::string("0 2\0* * *", 9),
                "schedule contains a character that is not printable ASCII, at position 4"},
        BadText{"0 2 * * m\xc3\xb6n", "schedule contains a character that is not printable ASCII, at position 10"},
        BadText{std::string(257, '1'), "schedule is longer than 256 bytes"},
        BadText{"61 2 * * *", In("minute", "61", "61 2 * * *", "61 is not in the allowed range, 0 to 59")},
        BadText{"-1 2 * * *", In("minute", "-1", "-1 2 * * *", "\"\" is not 0 to 59")},
        BadText{"0 24 * * *", In("hour", "24", "0 24 * * *", "24 is not in the allowed range, 0 to 23")},
        BadText{"0 2 0 * *", In("day-of-month", "0", "0 2 0 * *", "0 is not in the allowed range, 1 to 31")},
        BadText{"0 2 32 * *", In("day-of-month", "32", "0 2 32 * *", "32 is not in the allowed range, 1 to 31")},
        BadText{"0 2 * 13 *", In("month", "13", "0 2 * 13 *", "13 is not in the allowed range, 1 to 12 or jan to dec")},
        BadText{"0 2 * 0 *", In("month", "0", "0 2 * 0 *", "0 is not in the allowed range, 1 to 12 or jan to dec")},
        BadText{"0 2 * * 8",
                In("day-of-week", "8", "0 2 * * 8", "8 is not in the allowed range, 0 to 7 or sun to sat")},
        BadText{"0 2 * * mo", In("day-of-week", "mo", "0 2 * * mo", "\"mo\" is not 0 to 7 or sun to sat")},
        BadText{"0 2 * monday *", In("month", "monday", "0 2 * monday *", "\"monday\" is not 1 to 12 or jan to dec")},
        BadText{"0x2 2 * * *", In("minute", "0x2", "0x2 2 * * *", "\"0x2\" is not 0 to 59")},
        BadText{"+5 2 * * *", In("minute", "+5", "+5 2 * * *", "\"+5\" is not 0 to 59")},
        BadText{"1.5 2 * * *", In("minute", "1.5", "1.5 2 * * *", "\"1.5\" is not 0 to 59")},
        BadText{"99999999999 2 * * *",
                In("minute", "99999999999", "99999999999 2 * * *", "99999999999 is not in the allowed range, 0 to 59")},
        BadText{"** 2 * * *", In("minute", "**", "** 2 * * *", "\"**\" is not 0 to 59")},
        BadText{"? 2 * * *", In("minute", "?", "? 2 * * *", "\"?\" is not 0 to 59")},
        BadText{"0 2 L * *", In("day-of-month", "L", "0 2 L * *", "\"L\" is not 1 to 31")},
        BadText{"1,,2 2 * * *", In("minute", "1,,2", "1,,2 2 * * *", "an item of the list is empty")},
        BadText{"1, 2 * * *", In("minute", "1,", "1, 2 * * *", "an item of the list is empty")},
        BadText{"9-5 2 * * *", In("minute", "9-5", "9-5 2 * * *", "the range \"9-5\" ends before it begins")},
        BadText{"0 2 * * fri-mon",
                In("day-of-week", "fri-mon", "0 2 * * fri-mon", "the range \"fri-mon\" ends before it begins")},
        BadText{"1-2-3 2 * * *", In("minute", "1-2-3", "1-2-3 2 * * *", "\"1-2-3\" is neither a value nor a range")},
        BadText{"5- 2 * * *", In("minute", "5-", "5- 2 * * *", "\"\" is not 0 to 59")},
        BadText{"*-5 2 * * *", In("minute", "*-5", "*-5 2 * * *", "\"*\" is not 0 to 59")},
        BadText{"*/0 2 * * *", In("minute", "*/0", "*/0 2 * * *", "0 is not in the allowed range, a step of 1 to 59")},
        BadText{"*/90 * * * *",
                In("minute", "*/90", "*/90 * * * *", "90 is not in the allowed range, a step of 1 to 59")},
        BadText{"*/ 2 * * *", In("minute", "*/", "*/ 2 * * *", "\"\" is not a step of 1 to 59")},
        BadText{"*/x 2 * * *", In("minute", "*/x", "*/x 2 * * *", "\"x\" is not a step of 1 to 59")},
        BadText{"*/2/3 2 * * *", In("minute", "*/2/3", "*/2/3 2 * * *", "\"*/2/3\" has more than one step")},
        BadText{"5/10 2 * * *",
                In("minute", "5/10", "5/10 2 * * *", "the step in \"5/10\" needs * or a range before it")},
        BadText{"0 0 31 2 *", "schedule \"0 0 31 2 *\" can never fire: none of its months has day-of-month \"31\""},
        BadText{"0 0 31 2,4,6 */7",
                "schedule \"0 0 31 2,4,6 */7\" can never fire: none of its months has day-of-month \"31\""}));

TEST(Cron, RebootPointsToBackupOnStart) {
  try {
    Cron::Parse("@reboot");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(error.hint().find("mfi.backup_on_start"), std::string::npos);
  }
}

TEST(Cron, NicknamesStandForTheirTexts) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},    {"@MIDNIGHT", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
      {"@monthly", "0 0 1 * *"}, {" @yearly ", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
  };
  for (const auto& [nickname, text] : pairs) EXPECT_EQ(Matches(nickname, 50), Matches(text, 50)) << nickname;
}

TEST(Cron, EqualTexts) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"0 2 * JAN,mar *", "0 2 * 1,3 *"},
      {"0 2 * * Mon-FRI", "0 2 * * 1-5"},
      {"0 2 * * 7", "0 2 * * sun"},
      {"0 2 * * 0", "0 2 * * 7"},
      {"0 2 * * 5-7", "0 2 * * 0,5,6"},
      {"  00\t02  * * *  ", "0 2 * * *"},
      {"1-10/3 2 * * *", "1,4,7,10 2 * * *"},
      {"*/20 2 * * *", "0,20,40 2 * * *"},
      {"5,5,5 2 * * *", "5 2 * * *"},
      {"0 2 */10 * *", "0 2 1,11,21,31 * *"},
      {"0-59 0-23 1-31 1-12 0-7", "* * * * *"},
  };
  for (const auto& [text, plain] : pairs) EXPECT_EQ(Matches(text, 100), Matches(plain, 100)) << text;
}

TEST(Cron, EitherDayFieldIsEnoughWhenBothAreRestricted) {
  const Cron cron = Cron::Parse("0 0 13 * fri");
  EXPECT_EQ(cron.FirstMatch(Local("2026-01-01 00:00"), Local("2027-01-01 00:00")), Local("2026-01-02 00:00"));
  EXPECT_EQ(cron.FirstMatch(Local("2026-01-10 00:00"), Local("2027-01-01 00:00")), Local("2026-01-13 00:00"));
}

TEST(Cron, BothDayFieldsCountWhenOneBeginsWithAStar) {
  const Cron cron = Cron::Parse("0 0 */2 * mon");
  EXPECT_EQ(cron.FirstMatch(Local("2026-01-01 00:00"), Local("2027-01-01 00:00")), Local("2026-01-05 00:00"));
  EXPECT_EQ(cron.FirstMatch(Local("2026-01-06 00:00"), Local("2027-01-01 00:00")), Local("2026-01-19 00:00"));
}

TEST(Cron, KnowsWhetherItFollowsElapsedTime) {
  for (const char* text : {"* 2 * * *", "*/5 2 * * *", "0 * * * *", "0 */2 * * *", "@hourly"}) {
    EXPECT_TRUE(Cron::Parse(text).hour_or_minute_wildcard()) << text;
  }
  for (const char* text : {"0 2 * * *", "0-59 0-23 * * *", "0 2 */2 */2 */2", "@daily"}) {
    EXPECT_FALSE(Cron::Parse(text).hour_or_minute_wildcard()) << text;
  }
}

TEST(Cron, BoundsAreInclusive) {
  const Cron cron = Cron::Parse("30 2 * * *");
  const LocalMinute at = Local("2026-05-04 02:30");
  EXPECT_EQ(cron.FirstMatch(at, at), at);
  EXPECT_EQ(cron.LastMatch(at, at), at);
  EXPECT_EQ(cron.FirstMatch(at + 1, at + 1439), std::nullopt);
  EXPECT_EQ(cron.LastMatch(at - 1439, at - 1), std::nullopt);
  EXPECT_EQ(cron.FirstMatch(at, at - 1), std::nullopt);
  EXPECT_EQ(cron.LastMatch(at, at - 1), std::nullopt);
}

TEST(Cron, FindsLeapDaysBothWays) {
  const Cron cron = Cron::Parse("59 23 29 feb *");
  EXPECT_EQ(cron.FirstMatch(Local("2096-03-01 00:00"), Local("2200-01-01 00:00")), Local("2104-02-29 23:59"));
  EXPECT_EQ(cron.LastMatch(Local("2000-01-01 00:00"), Local("2104-02-29 23:58")), Local("2096-02-29 23:59"));
}

TEST(Cron, LastMatchIsTheMirrorOfFirstMatch) {
  for (const char* text : {"*/7 */5 * * *", "13 4 31 * *", "0 0 1 jan,jul *", "5 6 * * sat", "1,59 0,23 15 * 3"}) {
    const Cron cron = Cron::Parse(text);
    std::optional<LocalMinute> previous;
    LocalMinute from = Local("1968-06-01 00:00");
    for (int i = 0; i < 300; ++i) {
      const auto match = cron.FirstMatch(from, Local("2300-01-01 00:00"));
      ASSERT_TRUE(match) << text;
      ASSERT_EQ(cron.LastMatch(from, *match), match) << text;
      if (previous) {
        ASSERT_EQ(cron.LastMatch(Local("1960-01-01 00:00"), *match - 1), previous) << text;
      }
      previous = match;
      from = *match + 1;
    }
  }
}

}  // namespace
