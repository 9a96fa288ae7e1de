// What of a data directory lies elsewhere is set aside with it, all or nothing.

#include "os/node/replacement.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "os/base/file.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;
namespace fs = std::filesystem;

class AReplacement : public testing::Test {
 protected:
  AReplacement() {
    for (const char* name : {"data", "data/pg_tblspc", "ts", "ts/inner", "wal"}) MakeDirectory(root_ / name, 0700);
    Mark("data", "old");
    Mark("ts", "old");
    Mark("ts/inner", "old");
    Mark("wal", "old");
    Link("data/pg_tblspc/16384", "ts");
    Link("data/pg_tblspc/16385", "ts/inner");
    Link("data/pg_wal", "wal");
  }
  void Mark(const std::string& directory, const std::string& text) const {
    WriteFileAtomically(root_ / (directory + "/mark"), text, 0600);
  }
  std::string MarkOf(const std::string& directory) const { return ReadFile(root_ / (directory + "/mark")); }
  void Link(const std::string& link, const std::string& target) const { ReplaceSymlink(root_ / link, root_ / target); }
  std::string TargetOf(const std::string& link) const { return fs::read_symlink(root_ / link).string(); }
  std::string All() const {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(root_.path())) {
      all += entry.path().string() + (entry.is_symlink() ? " -> " + fs::read_symlink(entry).string() : "") + "\n";
    }
    return all;
  }
  Replacement Plan() const {
    return {root_ / "data", {{"16384", "/there/a"}, {"16385", "/there/b=c"}, {"16390", root_ / "new"}}, ".aside"};
  }
  /// As pg_basebackup makes it.
  void Clone(const Replacement& plan) const {
    MakeDirectory(plan.clone(), 0700);
    for (const char* name :
         {"data.clone/pg_tblspc", "ts.clone", "ts.clone.pg_tblspc.16385", "wal.clone", "new.clone"}) {
      MakeDirectory(root_ / name, 0700);
      Mark(name, "new");
    }
    Mark("data.clone", "new");
  }

  TempDirectory root_;
};

TEST_F(AReplacement, TakesOverWithAllThatLiesElsewhere) {
  Replacement plan = Plan();
  EXPECT_EQ(plan.options(),
            (std::vector<std::string>{"--waldir=" + (root_ / "wal.clone"),
                                      "--tablespace-mapping=/there/a=" + (root_ / "ts.clone"),
                                      "--tablespace-mapping=/there/b\\=c=" + (root_ / "ts.clone.pg_tblspc.16385"),
                                      "--tablespace-mapping=" + (root_ / "new") + "=" + (root_ / "new.clone")}));
  Clone(plan);
  plan.TakeOver();
  for (const char* name : {"data", "ts", "ts/inner", "wal", "new"}) EXPECT_EQ(MarkOf(name), "new") << name;
  for (const char* name : {"data.aside", "ts.aside", "ts.aside/inner", "wal.aside"})
    EXPECT_EQ(MarkOf(name), "old") << name;
  EXPECT_EQ(TargetOf("data/pg_tblspc/16385"), root_ / "ts/inner");
  EXPECT_EQ(TargetOf("data/pg_tblspc/16390"), root_ / "new");
  EXPECT_EQ(TargetOf("data/pg_wal"), root_ / "wal");
  EXPECT_EQ(TargetOf("data.aside/pg_tblspc/16384"), root_ / "ts.aside");
  EXPECT_EQ(TargetOf("data.aside/pg_tblspc/16385"), root_ / "ts.aside/inner");
  EXPECT_EQ(TargetOf("data.aside/pg_wal"), root_ / "wal.aside");
}

TEST_F(AReplacement, ThatCannotTakeOverChangesNothing) {
  const std::string before = All();
  Replacement plan = Plan();
  Clone(plan);
  RemoveTree(root_ / "new.clone");
  EXPECT_NE(std::string(ErrorOf([&] { plan.TakeOver(); }).what()).find("could not rename"), std::string::npos);
  for (const char* name : {"data", "ts", "ts/inner", "wal"}) EXPECT_EQ(MarkOf(name), "old") << name;
  plan.Discard();
  EXPECT_EQ(All(), before);
}

TEST_F(AReplacement, IsRefusedBeforeAnythingIsChanged) {
  MakeDirectory(root_ / "wal.clone", 0700);
  EXPECT_EQ(ErrorOf([&] { Plan(); }).what(), (root_ / "wal.clone") + " is in the way; nothing was changed");
  RemoveTree(root_ / "wal.clone");
  MakeDirectory(root_ / "ts.aside", 0700);
  EXPECT_EQ(ErrorOf([&] { Plan(); }).what(), (root_ / "ts.aside") + " is in the way; nothing was changed");
  RemoveTree(root_ / "ts.aside");
  MakeDirectory(root_ / "new", 0700);
  EXPECT_EQ(Plan().options().size(), 3U) << "an empty directory is cloned into as it is";
  Mark("new", "somebody's");
  EXPECT_NE(std::string(ErrorOf([&] { Plan(); }).what()).find("new is not empty, and a tablespace"), std::string::npos);
}

TEST_F(AReplacement, OfAMountPointIsRefused) {
  EXPECT_EQ(WhyNotRenamed("/proc"), "it is a mount point");
  EXPECT_EQ(WhyNotRenamed(root_ / "ts"), "");
  ReplaceSymlink(root_ / "data/pg_tblspc/16384", "/proc");
  const std::string before = All();
  EXPECT_STREQ(ErrorOf([&] { Plan(); }).what(), "/proc cannot be set aside: it is a mount point; nothing was changed");
  EXPECT_STREQ(ErrorOf([&] { SetDataAside(root_ / "data", root_ / "gone", ".x"); }).what(),
               "/proc cannot be set aside: it is a mount point; nothing was changed");
  EXPECT_EQ(All(), before);
}

TEST_F(AReplacement, DataIsSetAsideWithItsTablespaces) {
  SetDataAside(root_ / "data", root_ / "gone", ".x");
  for (const char* name : {"gone", "ts.x", "ts.x/inner", "wal.x"}) EXPECT_EQ(MarkOf(name), "old") << name;
  EXPECT_EQ(TargetOf("gone/pg_tblspc/16384"), root_ / "ts.x");
  EXPECT_EQ(TargetOf("gone/pg_tblspc/16385"), root_ / "ts.x/inner");
  EXPECT_FALSE(Exists(root_ / "data"));
}

}  // namespace
