#include "core/backup/notification.h"

#include <nlohmann/json.hpp>

#include "support.h"

namespace {

using mfi::core::Notification;
using mfi::core::SplitCommand;
using mfi::test::ErrorOf;
using Words = std::vector<std::string>;

TEST(SplitCommand, SeparatesWordsAsAShellWould) {
  EXPECT_EQ(SplitCommand(""), Words{});
  EXPECT_EQ(SplitCommand(" \t\n"), Words{});
  EXPECT_EQ(SplitCommand("/bin/tell"), Words{"/bin/tell"});
  EXPECT_EQ(SplitCommand("  /bin/tell\ta   b\n"), (Words{"/bin/tell", "a", "b"}));
  EXPECT_EQ(SplitCommand(R"(/bin/tell "a b" 'c d' e\ f)"), (Words{"/bin/tell", "a b", "c d", "e f"}));
  EXPECT_EQ(SplitCommand(R"(/bin/tell '' "" x''y)"), (Words{"/bin/tell", "", "", "xy"}));
  EXPECT_EQ(SplitCommand(R"(/bin/tell "it's" 'say "hi"' "a\"b" 'a\b' $HOME ; *)"),
            (Words{"/bin/tell", "it's", "say \"hi\"", "a\"b", "a\\b", "$HOME", ";", "*"}));
  EXPECT_EQ(SplitCommand("\"/my tools/tell\""), Words{"/my tools/tell"});
  EXPECT_EQ(SplitCommand("/bin/tell a\\"), (Words{"/bin/tell", "a\\"}));
}

TEST(SplitCommand, RefusesWhatCannotBeStarted) {
  EXPECT_STREQ(ErrorOf([] { SplitCommand("/bin/tell \"a"); }).what(), "the quote \" is not closed");
  EXPECT_STREQ(ErrorOf([] { SplitCommand("tell /a"); }).what(), "\"tell\" is not an absolute path");
  EXPECT_STREQ(ErrorOf([] { SplitCommand("''"); }).what(), "\"\" is not an absolute path");
  EXPECT_EQ(ErrorOf([] { SplitCommand("tell"); }).sqlstate(), "22023");
}

TEST(Notification, IsOneJsonObject) {
  Notification n{.event = "stale", .at = 1'795'312'800, .node = "a-5432", .database = "bank", .directory = "/b"};
  n.message = "it is \"old\"\n";
  auto document = nlohmann::json::parse(ToJson(n));
  EXPECT_EQ(document["event"], "stale");
  EXPECT_EQ(document["at"], "2026-11-22T02:00:00Z");
  EXPECT_EQ(document["message"], n.message);
  EXPECT_TRUE(document["run"].is_null());
  n.run = mfi::test::SampleRun(n.at);
  document = nlohmann::json::parse(ToJson(n));
  EXPECT_EQ(mfi::core::ParseRunRecord(document["run"].dump()).id, n.run->id);
}

}  // namespace
