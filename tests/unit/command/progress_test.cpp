#include "command/base/progress.h"

#include <gtest/gtest.h>

#include <sstream>

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

}  // namespace
