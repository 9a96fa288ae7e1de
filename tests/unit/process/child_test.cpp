#include "os/process/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <sstream>

#include "support.h"

namespace {

using namespace mfi::os;
using mfi::test::ErrorOf;
using mfi::test::Eventually;
using mfi::test::IsGone;
using mfi::test::TempDirectory;
using mfi::test::TestHost;
using mfi::test::Write;
using mfi::test::WriteScript;

// A script ends its part of a handshake with this: the file appears at once, complete. A trap that runs meanwhile sees
// the arguments of this function, not those of the script.
constexpr char kTellPid[] = "tell() { echo $2 >\"$1.part\"; mv \"$1.part\" \"$1\"; }\n";
constexpr char kWaitForever[] = "tail -f /dev/null";

class ChildTest : public testing::Test {
 protected:
  Command Script(const std::string& body, std::vector<std::string> arguments = {}) {
    const std::string path = directory_ / ("script" + std::to_string(++scripts_));
    WriteScript(path, kTellPid + body);
    return {path, std::move(arguments), CleanEnvironment()};
  }

  ChildResult Run(const Command& command) { return RunCommand(command, host_); }

  /// The number that a script told under this name.
  pid_t Told(const std::string& name) {
    EXPECT_TRUE(Eventually([&] { return Exists(directory_ / name); })) << name;
    return std::stoi(ReadFile(directory_ / name));
  }

  TempDirectory directory_;
  TestHost host_;
  int scripts_ = 0;
};

TEST_F(ChildTest, EndsWithItsCodeOrItsSignal) {
  EXPECT_EQ(Run(Script("exit 0")).exit_code, 0);
  EXPECT_EQ(Run(Script("exit 3")).exit_code, 3);
  EXPECT_EQ(Run(Script("kill -KILL $$")).exit_code, 137);
}

TEST_F(ChildTest, OutputAndErrorsComeApart) {
  const ChildResult result = Run(Script("echo out; echo err >&2; echo more"));
  EXPECT_EQ(result.output, "out\nmore\n");
  EXPECT_EQ(result.errors, "err\n");
}

TEST_F(ChildTest, MoreThanAPipeHoldsIsReadWhole) {
  const ChildResult result = Run(Script("yes 0123456789abcde | head -n 100000"));
  EXPECT_EQ(result.output.size(), 1'600'000U);
}

TEST_F(ChildTest, OfErrorsTheTailIsKept) {
  const ChildResult result = Run(Script("echo first >&2; yes filler | head -c 200000 >&2; echo last >&2"));
  EXPECT_EQ(result.errors.size(), 65536U);
  EXPECT_EQ(result.errors.substr(65536 - 5), "last\n");
}

TEST_F(ChildTest, HasNothingToReadFromStandardInput) { EXPECT_EQ(Run(Script("cat; exit 5")).exit_code, 5); }

TEST_F(ChildTest, ArgumentsReachItAsTheyAre) {
  const std::string file = directory_ / "made";
  const ChildResult result = Run(
      Script("printf '<%s>' \"$@\"", {"a b", "", "$(touch " + file + ")", "; touch " + file, "*", "'\"\\", "-x\n"}));
  EXPECT_EQ(result.output, "<a b><><$(touch " + file + ")><; touch " + file + "><*><'\"\\><-x\n>");
  EXPECT_FALSE(Exists(file));
}

TEST_F(ChildTest, TheEnvironmentIsExactlyTheOneGiven) {
  EXPECT_EQ(Run({"/usr/bin/env", {}, {"A=1", "B=x y"}}).output, "A=1\nB=x y\n");
}

TEST_F(ChildTest, TheCleanEnvironmentHasNoSettingOfLibpq) {
  std::string set[] = {"PGHOST=elsewhere", "PGOPTIONS=-c x=y", "LC_ALL=xx_YY", "TZ=Asia/Tokyo"};
  for (std::string& variable : set) putenv(variable.data());
  const std::string environment = Run({"/usr/bin/env", {}, CleanEnvironment()}).output;
  for (const char* name : {"PGHOST", "PGOPTIONS", "LC_ALL", "TZ"}) unsetenv(name);
  EXPECT_EQ(environment.find("PG"), std::string::npos) << environment;
  EXPECT_EQ(environment.rfind("LC_ALL=C\n", 0), 0U) << environment;
  EXPECT_NE(environment.find("\nPATH="), std::string::npos) << environment;
  EXPECT_NE(environment.find("\nTZ=Asia/Tokyo\n"), std::string::npos) << environment;
}

TEST_F(ChildTest, NoDescriptorOfThisProcessReachesIt) {
  const int leaky = open("/dev/null", O_RDONLY);                                              // without O_CLOEXEC
  EXPECT_EQ(Run({"/bin/ls", {"/proc/self/fd"}, CleanEnvironment()}).output, "0\n1\n2\n3\n");  // 3 is of ls itself
  close(leaky);
}

TEST_F(ChildTest, SignalsOfThisProcessDoNotReachIt) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  signal(SIGPIPE, SIG_IGN);
  const std::string status = Run({"/bin/cat", {"/proc/self/status"}, CleanEnvironment()}).output;
  signal(SIGPIPE, SIG_DFL);
  sigset_t after;
  sigprocmask(SIG_SETMASK, &before, &after);
  EXPECT_NE(status.find("SigBlk:\t0000000000000000"), std::string::npos) << status;
  EXPECT_NE(status.find("SigIgn:\t0000000000000000"), std::string::npos) << status;
  EXPECT_TRUE(sigismember(&after, SIGTERM));  // this process has its own mask back
}

TEST_F(ChildTest, RunsInAProcessGroupOfItsOwnAndAsNiceAsAsked) {
  EXPECT_EQ(Run({"/usr/bin/nice", {}, CleanEnvironment(), 19}).output, "19\n");
  std::istringstream stat(Run({"/bin/cat", {"/proc/self/stat"}, CleanEnvironment()}).output);
  std::string pid;
  std::string skipped;
  std::string group;
  stat >> pid >> skipped >> skipped >> skipped >> group;
  EXPECT_EQ(group, pid);
}

TEST_F(ChildTest, AProgramThatCannotBeRunIsAnError) {
  const auto missing = ErrorOf([&] { Run({directory_ / "missing", {}, {}}); });
  EXPECT_EQ(missing.sqlstate(), "58P01");
  EXPECT_EQ(missing.what(), "could not execute \"" + (directory_ / "missing") + "\": No such file or directory");
  Write(directory_ / "data", "");
  chmod((directory_ / "data").c_str(), 0600);
  const auto plain = ErrorOf([&] { Run({directory_ / "data", {}, {}}); });
  EXPECT_EQ(plain.sqlstate(), "42501");
  EXPECT_NE(plain.hint(), "");
}

TEST_F(ChildTest, WhatTheKernelRefusesToRunEndsWith127) {
  WriteScript(directory_ / "odd", "");
  Write(directory_ / "odd", "exit 0\n");  // executable, but neither a program nor a script: no shell takes it up
  EXPECT_EQ(Run({directory_ / "odd", {}, {}}).exit_code, 127);
}

TEST_F(ChildTest, IsWaitedForEvenWhenItClosesItsOutputs) {
  mkfifo((directory_ / "fifo").c_str(), 0600);
  Child child(Script("exec >&- 2>&-; read x <\"$1\"; exit 4", {directory_ / "fifo"}));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(child.WaitPiece(host_));
  Write(directory_ / "fifo", "go\n");
  while (!child.WaitPiece(host_)) {
  }
  EXPECT_EQ(child.result().exit_code, 4);
}

TEST_F(ChildTest, EndsAtOnceThoughAGrandchildHoldsItsOutput) {
  const ChildResult result =
      Run(Script(std::string(kWaitForever) + " & tell \"$1\" $!; echo done", {directory_ / "pid"}));
  EXPECT_EQ(result.output, "done\n");
  kill(Told("pid"), SIGKILL);
}

TEST_F(ChildTest, ItAndItsGroupAreGoneWithTheObject) {
  pid_t child_pid = 0;
  {
    const Child child(Script("(trap '' TERM; tell \"$1\" $$; " + std::string(kWaitForever) + ") & tell \"$2\" $!; wait",
                             {directory_ / "ready", directory_ / "grandchild"}));
    child_pid = child.pid();
    Told("ready");
    Told("grandchild");
  }
  EXPECT_TRUE(IsGone(child_pid));
  const pid_t grandchild = Told("grandchild");
  EXPECT_TRUE(Eventually([&] { return IsGone(grandchild); }));
}

TEST_F(ChildTest, IsGoneWhenTheWaitIsToldToStop) {
  const Command command = Script("tell \"$1\" $$; exec " + std::string(kWaitForever), {directory_ / "pid"});
  host_.stop_when = [&] { return Exists(directory_ / "pid"); };
  EXPECT_EQ(ErrorOf([&] { Run(command); }).sqlstate(), mfi::core::sqlstate::kQueryCanceled);
  EXPECT_TRUE(IsGone(Told("pid")));
}

TEST_F(ChildTest, WritersWithoutEndKeepNoWaitFromStopping) {
  const std::string writers = "for i in 1 2 3 4; do yes $i & done; for i in 1 2 3 4; do yes $i >&2 & done; wait";
  int waits = 0;
  host_.stop_when = [&] { return ++waits > 300; };  // more than is kept has been read by then
  EXPECT_EQ(ErrorOf([&] { Run(Script(writers)); }).sqlstate(), mfi::core::sqlstate::kQueryCanceled);
  Child child(Script(writers));
  for (int i = 0; i < 100; ++i) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(child.Ended());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  }
}

TEST_F(ChildTest, AWriterThatOutlivesItEndsNoLater) {
  const ChildResult result = Run(Script("yes & tell \"$1\" $!; exit 6", {directory_ / "pid"}));
  EXPECT_EQ(result.exit_code, 6);
  kill(Told("pid"), SIGKILL);
}

TEST_F(ChildTest, OfOutputWithoutEndTheTailIsKept) {
  const ChildResult result = Run(Script("echo first; yes filler | head -c 200000000; echo last"));
  EXPECT_EQ(result.output.size(), 64U * 1024 * 1024);
  EXPECT_EQ(result.output.substr(result.output.size() - 5), "last\n");
}

TEST_F(ChildTest, IsKilledAfterFiveSecondsWhenItIgnoresTheRequest) {
  std::chrono::steady_clock::time_point start;
  {
    const Child child(Script("trap '' TERM; tell \"$1\" $$; while :; do " + std::string(kWaitForever) + "; done",
                             {directory_ / "pid"}));
    Told("pid");
    start = std::chrono::steady_clock::now();
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(4900));
  EXPECT_TRUE(IsGone(Told("pid")));
}

TEST_F(ChildTest, GetsATerminationRequestWhenItsParentDies) {
  // What the shell says of a process that was killed goes to a pipe that nobody reads any more.
  const Command command =
      Script(std::string("trap '' PIPE; ") + kWaitForever +
                 " & grandchild=$! asked=$2; trap 'kill $grandchild; tell \"$asked\" $$; exit' TERM; tell "
                 "\"$1\" $$; while :; do :; done",
             {directory_ / "pid", directory_ / "asked"});
  mfi::test::Forked parent([&] {
    const Child child(command);
    pause();
    return 0;
  });
  const pid_t pid = Told("pid");
  parent.Kill();
  parent.Wait();
  EXPECT_EQ(Told("asked"), pid);
  EXPECT_TRUE(Eventually([&] { return IsGone(pid); }));
}

TEST_F(ChildTest, IsAskedToEndByTheSignalNamed) {
  const std::string body = "asked=$2; trap 'tell \"$asked\" $$; exit' USR1; tell \"$1\" $$; while :; do :; done";
  const auto command = [&](const std::string& name) {
    Command made = Script(body, {directory_ / name, directory_ / (name + "-asked")});
    made.end_signal = SIGUSR1;
    return made;
  };
  {
    const Child child(command("object"));
    Told("object");
  }
  EXPECT_EQ(Told("object-asked"), Told("object"));
  {
    const Child child(command("all"));
    Told("all");
    StopAllChildren();
  }
  EXPECT_EQ(Told("all-asked"), Told("all"));
  const Command orphan = command("orphan");
  mfi::test::Forked parent([&] {
    const Child child(orphan);
    pause();
    return 0;
  });
  Told("orphan");
  parent.Kill();
  parent.Wait();
  EXPECT_EQ(Told("orphan-asked"), Told("orphan"));
}

TEST_F(ChildTest, AllCanBeStoppedWithoutTheirObjects) {
  Child first(Script("tell \"$1\" $$; exec " + std::string(kWaitForever), {directory_ / "first"}));
  Child second(Script("tell \"$1\" $$; exec " + std::string(kWaitForever), {directory_ / "second"}));
  const pid_t pids[] = {Told("first"), Told("second")};
  StopAllChildren();
  for (const pid_t pid : pids) EXPECT_TRUE(IsGone(pid));
  EXPECT_TRUE(first.Ended() && second.Ended());
}

}  // namespace
