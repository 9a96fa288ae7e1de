#include "command/node/node_word.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "command/node/node_own.h"
#include "os/base/file.h"
#include "support.h"

namespace {

using namespace mfi::command;
using mfi::test::ErrorOf;

class NodeWord : public testing::Test {
 protected:
  NodeWord() {
    mfi::os::MakeDirectory(shared_, 0755);
    place_ = {shared_, temporary_.path() + "/state", "7437912345678901234", std::string(64, 'a')};
    other_ = place_;
    other_.state = temporary_.path() + "/other_state";
  }

  /// What is in force at a node, and the first remark.
  static std::string At(const WordPlace& place) {
    const WordInForce found = ReadWord(place);
    return (found.word ? found.word->node + " " + std::to_string(found.word->timeline) : "none") +
           (found.remarks.empty() ? "" : ": " + found.remarks[0].substr(found.remarks[0].find("is ignored")));
  }
  void Put(const std::string& text) const {
    unlink(word_.c_str());
    std::ofstream(word_) << text;
  }

  mfi::test::TempDirectory temporary_;
  std::string shared_ = temporary_.path() + "/shared";
  std::string word_ = shared_ + "/.primary";
  WordPlace place_;
  WordPlace other_;
};

TEST_F(NodeWord, IsKnownToBothNodes) {
  EXPECT_EQ(At(place_), "none");
  EXPECT_TRUE(WriteWord(place_, "db-replica", 2).remarks.empty());
  EXPECT_EQ(At(place_), "db-replica 2");
  EXPECT_EQ(At(other_), "db-replica 2");
  EXPECT_TRUE(WriteWord(other_, "db-primary", 3).remarks.empty());
  EXPECT_EQ(At(place_), "db-primary 3");
  EXPECT_EQ(mfi::os::ListDirectory(shared_), std::vector<std::string>{".primary"});
}

TEST_F(NodeWord, AnEarlierOneThatIsPutBackChangesNothing) {
  WriteWord(place_, "db-replica", 2);
  const std::string first = mfi::os::ReadFile(word_);
  WriteWord(place_, "db-primary", 3);
  Put(first);
  EXPECT_EQ(At(place_).rfind("db-primary 3: is ignored: this node knows a later word", 0), 0U);
  unlink(word_.c_str());
  EXPECT_EQ(At(place_), "db-primary 3");
}

TEST_F(NodeWord, WhatIsNotSignedForThisClusterIsIgnored) {
  WriteWord(place_, "db-replica", 2);
  const std::string good = mfi::os::ReadFile(word_);
  std::string forged = good;
  forged.replace(forged.find(" 2 "), 3, " 9 ");
  WordPlace foreign = place_;
  foreign.system_identifier = "8";
  foreign.state = temporary_.path() + "/foreign";
  for (const std::string& text : {std::string("db-replica 9 7437912345678901234\n"), forged, std::string(),
                                  std::string(1 << 20, 'x'), good + good}) {
    Put(text);
    EXPECT_EQ(At(other_).rfind("none: is ignored", 0), 0U) << text.substr(0, 100);
  }
  Put(good);
  EXPECT_EQ(At(foreign), "none: is ignored: it speaks of another database cluster");
  EXPECT_EQ(At(other_), "db-replica 2");
}

TEST_F(NodeWord, OnlyARegularFileIsRead) {
  WriteWord(place_, "db-replica", 2);
  const std::string elsewhere = temporary_.path() + "/elsewhere";
  mfi::os::Rename(word_, elsewhere);
  ASSERT_EQ(symlink(elsewhere.c_str(), word_.c_str()), 0);
  EXPECT_EQ(At(other_).rfind("none: is ignored", 0), 0U);
  unlink(word_.c_str());
  ASSERT_EQ(mkfifo(word_.c_str(), 0600), 0);
  EXPECT_EQ(At(other_).rfind("none: is ignored", 0), 0U);
  unlink(word_.c_str());
  mfi::os::MakeDirectory(word_, 0700);
  EXPECT_EQ(At(other_).rfind("none: is ignored", 0), 0U);
  // A new word is in force for the node that was told, and the remark says that the other one does not know it.
  const WordInForce given = WriteWord(place_, "db-primary", 3);
  EXPECT_EQ(given.word->node, "db-primary");
  EXPECT_FALSE(given.remarks.empty());
}

TEST_F(NodeWord, AChangedPasswordKeepsTheWordAndSignsItAnew) {
  WriteWord(place_, "db-replica", 2);
  EXPECT_EQ(At(other_), "db-replica 2");
  const std::string before = mfi::os::ReadFile(word_);
  place_.key = std::string(64, 'b');
  EXPECT_EQ(At(place_), "db-replica 2");
  EXPECT_NE(mfi::os::ReadFile(word_), before);
  other_.key = place_.key;
  EXPECT_EQ(At(other_), "db-replica 2");
}

TEST_F(NodeWord, WrongUseIsRefused) {
  EXPECT_EQ(ErrorOf([&] { WriteWord(place_, "a b", 2); }).sqlstate(), "22023");
  EXPECT_EQ(ErrorOf([&] { WriteWord(place_, "db-primary", 0); }).sqlstate(), "22023");
}

TEST_F(NodeWord, OwnDirectoryGivesTheDirectoryItselfAndFollowsNoLink) {
  const std::string inside = shared_ + "/inside";
  std::ofstream(inside) << "x";
  chmod(inside.c_str(), 0644);
  OwnDirectory(shared_, geteuid(), 0700);
  struct stat status {};
  ASSERT_EQ(stat(shared_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  ASSERT_EQ(stat(inside.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
  const std::string link = temporary_.path() + "/link";
  ASSERT_EQ(symlink(shared_.c_str(), link.c_str()), 0);
  EXPECT_NE(std::string(ErrorOf([&] { OwnDirectory(link, geteuid(), 0755); }).what()).find("could not open directory"),
            std::string::npos);
  EXPECT_THROW(OwnDirectory(inside, geteuid(), 0700), mfi::core::Error);
  EXPECT_THROW(UserNumber("nobody of this name"), mfi::core::Error);
  EXPECT_EQ(UserNumber("root"), 0U);
}

}  // namespace
