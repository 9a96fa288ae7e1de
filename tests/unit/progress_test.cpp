#include "command/base/progress.h"

#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "command/base/log_line.h"

namespace {

using mfi::command::Progress;

std::string Shown(Progress::To to) {
  std::ostringstream out;
  Progress progress(out, to);
  progress.Show("dumping", "");
  progress.Show("dumping", "5 MB");
  progress.Show("verifying", "");
  progress.Clear();
  return out.str();
}

TEST(Progress, ATerminalHasOneLineThatIsWrittenOver) {
  EXPECT_EQ(Shown(Progress::To::kTerminal), "\r\x1b[Kdumping\r\x1b[Kdumping, 5 MB\r\x1b[Kverifying\r\x1b[K");
}

TEST(Progress, AFileHasALineForEachPhase) { EXPECT_EQ(Shown(Progress::To::kFile), "dumping\nverifying\n"); }

TEST(Progress, WhoWantsJsonSeesNone) { EXPECT_EQ(Shown(Progress::To::kNobody), ""); }

TEST(LogLine, IsOneOfTheContainersLog) {
  std::ostringstream out;
  mfi::command::Log(out, "cloning", "Wait.");
  EXPECT_TRUE(
      std::regex_match(out.str(), std::regex(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC mfi: cloning\n    Wait\.\n)")))
      << out.str();
}

}  // namespace
