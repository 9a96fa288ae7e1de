#include "os/process/private_log.h"

#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;

constexpr char kWords[] = "pg_restore: error: COPY failed for table \"t\": ERROR:  bad pin 1234\n";
constexpr char kTold[] =
    "pg_restore: error: COPY failed for table \"t\": the server refused it in words that may quote a row";

TEST(PrivateLog, HoldsWhatIsNotTold) {
  const TempDirectory d;
  const std::string path = d / "bank_1.log";
  {
    const PrivateLog log(d.path(), "bank_1");
    EXPECT_EQ(ProgramWords({1, "", "pg_dump: error: no room\n"}), "pg_dump: error: no room");
    EXPECT_FALSE(Exists(path));
    EXPECT_EQ(ProgramWords({1, "", kWords}), std::string(kTold) + " (all of its words: \"" + path + "\")");
    EXPECT_EQ(ProgramWords({1, "", "x:  secret\n"}), "(all of its words: \"" + path + "\")");
  }
  EXPECT_EQ(ReadFile(path), std::string(kWords) + "\nx:  secret\n\n");
  EXPECT_EQ(ModeOf(path), 0600U);
  EXPECT_EQ(ProgramWords({1, "", kWords}), kTold);
}

TEST(PrivateLog, IsBoundedAndGoesNowhereElse) {
  const TempDirectory d;
  const PrivateLog log(d.path(), "bank_1");
  EXPECT_TRUE(log.Append(std::string(1'000'000, 'x')));
  EXPECT_FALSE(log.Append(std::string(100'000, 'x')));
  EXPECT_EQ(ProgramWords({1, "", kWords + std::string(100'000, 'x')}), "");
  RemoveTree(log.path());
  Write(d / "victim", "");
  symlink("victim", log.path().c_str());
  EXPECT_EQ(ProgramWords({1, "", kWords}), kTold);
  RemoveTree(log.path());
  ASSERT_EQ(link((d / "victim").c_str(), log.path().c_str()), 0);
  EXPECT_FALSE(log.Append("x"));
  RemoveTree(log.path());
  mkfifo(log.path().c_str(), 0600);
  EXPECT_FALSE(log.Append("x"));
  RemoveTree(log.path());
  Write(log.path(), "");
  chmod(log.path().c_str(), 0644);
  EXPECT_FALSE(log.Append("x"));
  EXPECT_EQ(ReadFile(d / "victim"), "");
}

}  // namespace
