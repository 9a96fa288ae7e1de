#include "os/backup/notifier.h"

#include "support.h"

namespace {

using namespace mfi::test;
using mfi::os::Exists;
using mfi::os::Notifier;
using mfi::os::ReadFile;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

class NotifierTest : public testing::Test {
 protected:
  void Script(const std::string& body) { WriteScript(program_, body); }
  void Send(const std::string& text = "x") { notifier_.Send({program_, directory_ / "got"}, text); }

  /// The outcomes until nothing runs or waits.
  Lines Outcomes(seconds limit = seconds(60)) {
    Lines all;
    EXPECT_TRUE(Eventually([&] {
      for (const std::string& outcome : notifier_.Poll(limit)) all.push_back(outcome);
      return notifier_.Idle();
    }));
    return all;
  }

  TempDirectory directory_;
  std::string program_ = directory_ / "program";
  Notifier notifier_;
};

TEST_F(NotifierTest, TheMessageIsAllOfTheInput) {
  Script("cat >\"$1\"");
  const std::string large(300'000, 'x');
  Send(large);
  EXPECT_EQ(Outcomes(), Lines{""});
  EXPECT_EQ(ReadFile(directory_ / "got"), large);
}

TEST_F(NotifierTest, AFailureIsTold) {
  Script("echo no route >&2; exit 3");
  Send();
  EXPECT_EQ(Outcomes(), Lines{program_ + " failed with exit code 3: no route"});
  Script("exit 4");
  Send();
  EXPECT_EQ(Outcomes(), Lines{program_ + " failed with exit code 4"});
  mfi::os::RemoveTree(program_);
  Send();
  ASSERT_EQ(Outcomes().size(), 1U);
}

TEST_F(NotifierTest, SomeRunAtOnceAndTheRestWaits) {
  Script("echo >\"$1.$$\"; while [ ! -e \"$1.go\" ]; do sleep 0.01; done");
  for (int i = 0; i < 6; ++i) Send();
  EXPECT_EQ(notifier_.Poll(seconds(60)), Lines{});
  EXPECT_TRUE(Eventually([&] { return mfi::os::ListDirectory(directory_.path()).size() == 5; }));
  Write(directory_ / "got.go", "");
  EXPECT_EQ(Outcomes(), Lines(6));
}

TEST_F(NotifierTest, TheOldestOfTooManyGoes) {
  Script("cat >>\"$1\"");
  for (int i = 0; i < 101; ++i) Send(std::to_string(i) + "\n");
  EXPECT_EQ(Outcomes(), Lines(100));
  EXPECT_EQ(("\n" + ReadFile(directory_ / "got")).find("\n0\n"), std::string::npos);
}

TEST_F(NotifierTest, OneThatTakesTooLongIsStopped) {
  Script("exec tail -f /dev/null");
  Send();
  EXPECT_EQ(Outcomes(seconds(0)), Lines{program_ + " was stopped after 0 s"});
}

TEST_F(NotifierTest, OneThatWillNotEndKeepsNobodyWaiting) {
  Script("trap '' TERM; echo >\"$1\"; while :; do sleep 0.05; done");
  Send();
  notifier_.Poll(seconds(60));
  EXPECT_TRUE(Eventually([&] { return Exists(directory_ / "got"); }));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(notifier_.Poll(seconds(0)), Lines{program_ + " was stopped after 0 s"});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(1));
  EXPECT_EQ(Outcomes(seconds(0)), Lines{}) << "it is told once, and killed in the end";
}

TEST_F(NotifierTest, WhatIsPrintedWithoutEndIsReadInPieces) {
  Script("yes");
  Send();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(notifier_.Poll(seconds(60)), Lines{});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(Outcomes(seconds(0)), Lines{program_ + " was stopped after 0 s"});
}

}  // namespace
