#include "os/node/standby_files.h"

#include <unistd.h>

#include "os/base/file.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;

class StandbyFiles : public testing::Test {
 protected:
  StandbyFiles() {
    for (const char* name : {"from", "to"}) MakeDirectory(temporary_ / name, 0700);
  }
  TempDirectory temporary_;
  std::string from_ = temporary_ / "from";
  std::string to_ = temporary_ / "to";
};

TEST_F(StandbyFiles, KeepsANodesOwnConfiguration) {
  Write(from_ + "/postgresql.conf", "own");
  Write(from_ + "/pg_ident.conf", "");
  Write(temporary_ / "hba", "elsewhere");
  ASSERT_EQ(symlink((temporary_ / "hba").c_str(), (from_ + "/pg_hba.conf").c_str()), 0);
  Write(to_ + "/postgresql.conf", "the other node's");
  Write(to_ + "/postgresql.auto.conf", "stays, as this node has none");
  KeepOwnFiles(from_, to_);
  EXPECT_EQ(ReadFile(to_ + "/postgresql.conf"), "own");
  EXPECT_EQ(ReadFile(to_ + "/pg_ident.conf"), "");
  EXPECT_EQ(ReadFile(to_ + "/pg_hba.conf"), "elsewhere");
  EXPECT_EQ(ReadFile(to_ + "/postgresql.auto.conf"), "stays, as this node has none");
}

TEST_F(StandbyFiles, DropsTheSlotsOfAPrimary) {
  MakeDirectory(to_ + "/pg_replslot", 0700);
  MakeDirectory(to_ + "/pg_replslot/one", 0700);
  Write(to_ + "/pg_replslot/one/state", "x");
  DropOwnSlots(to_);
  EXPECT_TRUE(ListDirectory(to_ + "/pg_replslot").empty());
}

TEST_F(StandbyFiles, SettingsAreReplaced) {
  const std::string path = to_ + "/postgresql.auto.conf";
  EXPECT_FALSE(ReplaceSettings(to_, {"a"}, ""));
  EXPECT_FALSE(Exists(path));
  EXPECT_FALSE(ReplaceSettings(to_, {"a"}, "a = '1'\n"));
  EXPECT_EQ(ReadFile(path), "a = '1'\n");
  EXPECT_EQ(ModeOf(path), 0600U);
  Write(path, "a = '1'\nb = '2'");
  EXPECT_TRUE(ReplaceSettings(to_, {"a"}, "a = '3'\n"));
  EXPECT_EQ(ReadFile(path), "b = '2'\na = '3'\n");
}

TEST_F(StandbyFiles, MarksAStandby) {
  for (const char* name : {"/recovery.signal", "/postmaster.pid"}) Write(to_ + name, "1");
  MarkStandby(to_);
  EXPECT_EQ(ListDirectory(to_), std::vector<std::string>{"standby.signal"});
  MarkStandby(to_);
  EXPECT_EQ(ListDirectory(to_), std::vector<std::string>{"standby.signal"});
}

}  // namespace
