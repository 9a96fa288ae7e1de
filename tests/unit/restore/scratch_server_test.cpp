#include "os/restore/scratch_server.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "fake_programs.h"

namespace {

using namespace mfi::test;
using mfi::core::Error;
using mfi::os::Exists;
using mfi::os::ScratchServer;

// Like initdb, as far as a server that never starts needs it.
constexpr char kInitdb[] = "for a; do case $a in --pgdata=*) mkdir \"${a#*=}\";; esac; done";

class ScratchServerTest : public FakePrograms {
 protected:
  ScratchServerTest() { Program("initdb", kInitdb); }

  Error Failure() {
    return ErrorOf([&] {
      ScratchServer(
          {.binary_directory = job_.binary_directory,
           .directory = directory_of_server_,
           .superuser = "postgres",
           .server_major = 17,
           .sandbox = {.writable = {temporary_.path()}, .executable = {temporary_.path(), "/usr/bin", "/bin"}}},
          host_);
    });
  }

  std::string directory_of_server_ = ScratchOfNode();  // as it begins
};

TEST_F(ScratchServerTest, ItsDirectoryBelongsToTheNode) {
  EXPECT_EQ(mfi::os::ScratchPath("/srv", "db-5432"), "/srv/mfi-scratch-db-5432-");
}

TEST_F(ScratchServerTest, AServerThatDiesIsQuotedAndLeavesNothing) {
  Program("postgres", "echo 'FATAL:  could not create shared memory segment: x' >&2; exit 1");
  const Error error = Failure();
  EXPECT_EQ(error.sqlstate(), "38000");
  EXPECT_STREQ(error.what(), "the scratch server died: FATAL:  could not create shared memory segment: ...");
  EXPECT_FALSE(ScratchIsThere());
}

TEST_F(ScratchServerTest, ItsNameCannotBeTakenBeforehand) {
  // What others may have made in a directory like /tmp, where a name that can be foreseen would be ours.
  Write(job_.scratch_directory + "/mfi-scratch-node-a", "");
  Write(job_.scratch_directory + "/mfi-scratch-node-a-", "");
  Program("postgres", "case $2 in */mfi-scratch-node-a-*/data) echo \"FATAL:  $2\" >&2;; esac; exit 1");
  const Error first = Failure();
  const Error second = Failure();
  EXPECT_EQ(std::string(first.what()).rfind("the scratch server died: FATAL:", 0), 0U) << first.what();
  EXPECT_EQ(mfi::os::ListDirectory(job_.scratch_directory).size(), 2U);
}

TEST_F(ScratchServerTest, WhatIsLeftOverIsRemovedUnlessItIsOfOthersOrInUse) {
  const std::string own = ScratchOfNode();
  for (const std::string& name : {own + "abcDE1", own + "000000", own + "locked", own + "abcde-", own + "abcdefg",
                                  own + "else-abcdef", own.substr(0, own.size() - 1)}) {
    mfi::os::MakeDirectory(name, 0700);
    Write(name + "/left by a crash", "");
  }
  Write(own + "1a2b3c", "");
  symlink(temporary_.path().c_str(), (own + "aalink").c_str());
  std::vector<std::string> stays = {own + "1a2b3c",
                                    own + "aalink",
                                    own + "abcde-",
                                    own + "abcdefg",
                                    own + "else-abcdef",
                                    own + "locked",
                                    own.substr(0, own.size() - 1)};
  if (geteuid() == 0) {
    mfi::os::MakeDirectory(own + "others", 0700);
    ASSERT_EQ(chown((own + "others").c_str(), 65534, 65534), 0);
    stays.push_back(own + "others");
  }
  const mfi::os::UniqueFd server(open((own + "locked").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(flock(server.get(), LOCK_EX), 0);
  mfi::os::RemoveScratchLeftovers(job_.scratch_directory, kNode);
  std::vector<std::string> there;
  for (const std::string& name : mfi::os::ListDirectory(job_.scratch_directory)) {
    there.push_back(job_.scratch_directory + "/" + name);
  }
  std::sort(stays.begin(), stays.end());
  EXPECT_EQ(there, stays);
  mfi::os::RemoveScratchLeftovers(temporary_ / "not there", kNode);
}

TEST_F(ScratchServerTest, ItsDirectoryIsNotLeftOverWhileItIsThere) {
  Program("postgres", "touch \"${2%/data}/../started\"; exec tail -f /dev/null");
  host_.stop_when = [&] {
    if (!Exists(job_.scratch_directory + "/started")) return false;
    mfi::os::RemoveScratchLeftovers(job_.scratch_directory, kNode);
    EXPECT_EQ(mfi::os::ListDirectory(job_.scratch_directory).size(), 2U);
    return true;
  };
  EXPECT_EQ(Failure().sqlstate(), mfi::core::sqlstate::kQueryCanceled);
}

TEST_F(ScratchServerTest, WithoutAProgramThereIsNone) {
  const Error error = Failure();
  EXPECT_EQ(error.sqlstate(), "58P01");
  EXPECT_EQ(error.what(), "could not execute \"" + (temporary_ / "bin/postgres") + "\": No such file or directory");
  EXPECT_FALSE(ScratchIsThere());
}

TEST_F(ScratchServerTest, IsConfiguredToStartNothingAndToHearNobody) {
  Program("postgres", "printf '%s\\n' \"$@\" >\"" + (temporary_ / "arguments") + "\"; exit 1");
  Failure();
  const std::string arguments = "\n" + mfi::os::ReadFile(temporary_ / "arguments");
  const std::size_t at = arguments.find(directory_of_server_);
  ASSERT_NE(at, std::string::npos);
  const std::string directory = arguments.substr(at, directory_of_server_.size() + 6);
  for (const std::string& wanted :
       {std::string("listen_addresses="), std::string("shared_preload_libraries="), std::string("archive_mode=off"),
        std::string("autovacuum=off"), std::string("max_worker_processes=0"),
        "unix_socket_directories=" + directory + "/run"}) {
    EXPECT_NE(arguments.find("\n-c\n" + wanted + "\n"), std::string::npos) << wanted;
  }
}

TEST_F(ScratchServerTest, AStopWhileItStartsEndsItAndRemovesItsFiles) {
  Program("postgres", "echo $$ >\"" + (temporary_ / "pid.part") + "\"; mv \"" + (temporary_ / "pid.part") + "\" \"" +
                          (temporary_ / "pid") + "\"; exec tail -f /dev/null");
  host_.stop_when = [&] { return Exists(temporary_ / "pid"); };
  EXPECT_EQ(Failure().sqlstate(), mfi::core::sqlstate::kQueryCanceled);
  EXPECT_TRUE(IsGone(std::stoi(mfi::os::ReadFile(temporary_ / "pid"))));
  EXPECT_FALSE(ScratchIsThere());
}

TEST_F(ScratchServerTest, ALongPathGetsAShortSocketDirectoryThatGoesWithIt) {
  directory_of_server_ = temporary_ / std::string(90, 'x');
  Program("postgres",
          "for a; do case $a in unix_socket_directories=*) s=${a#*=};; esac; done\n"
          "[ -d \"$s\" ] || exit 2; printf %s \"$s\" >\"" +
              (temporary_ / "socket") + "\"; exit 1");
  Failure();
  const std::string socket = mfi::os::ReadFile(temporary_ / "socket");
  EXPECT_EQ(socket.rfind("/tmp/mfi-scratch-", 0), 0U) << socket;
  EXPECT_FALSE(Exists(socket));
  for (const std::string& name : mfi::os::ListDirectory(temporary_.path())) EXPECT_NE(name.substr(0, 3), "xxx");
}

TEST_F(ScratchServerTest, ADirectoryThatCannotBeMadeIsAnError) {
  directory_of_server_ = temporary_ / "no/scratch";
  EXPECT_EQ(Failure().sqlstate(), "58P01");
}

}  // namespace
