#include "os/scratch_server.h"

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

  std::string directory_of_server_ = ScratchOfNode();
};

TEST_F(ScratchServerTest, ItsDirectoryBelongsToTheNode) {
  EXPECT_EQ(mfi::os::ScratchPath("/srv", "db-5432"), "/srv/mfi-scratch-db-5432");
}

TEST_F(ScratchServerTest, AServerThatDiesIsQuotedAndLeavesNothing) {
  mfi::os::MakeDirectory(directory_of_server_, 0700);
  Write(directory_of_server_ + "/left by a crash", "");
  Program("postgres", "[ ! -e '" + directory_of_server_ +
                          "/left by a crash' ] || exit 0\n"
                          "echo 'FATAL:  could not create shared memory segment: x' >&2; exit 1");
  const Error error = Failure();
  EXPECT_EQ(error.sqlstate(), "38000");
  EXPECT_STREQ(error.what(), "the scratch server died: FATAL:  could not create shared memory segment: ...");
  EXPECT_FALSE(Exists(directory_of_server_));
}

TEST_F(ScratchServerTest, WithoutAProgramThereIsNone) {
  const Error error = Failure();
  EXPECT_EQ(error.sqlstate(), "58P01");
  EXPECT_EQ(error.what(), "could not execute \"" + (temporary_ / "bin/postgres") + "\": No such file or directory");
  EXPECT_FALSE(Exists(directory_of_server_));
}

TEST_F(ScratchServerTest, IsConfiguredToStartNothingAndToHearNobody) {
  Program("postgres", "printf '%s\\n' \"$@\" >\"" + (temporary_ / "arguments") + "\"; exit 1");
  Failure();
  const std::string arguments = "\n" + mfi::os::ReadFile(temporary_ / "arguments");
  for (const std::string& wanted :
       {std::string("listen_addresses="), std::string("shared_preload_libraries="), std::string("archive_mode=off"),
        std::string("autovacuum=off"), std::string("max_worker_processes=0"),
        "unix_socket_directories=" + directory_of_server_ + "/run"}) {
    EXPECT_NE(arguments.find("\n-c\n" + wanted + "\n"), std::string::npos) << wanted;
  }
}

TEST_F(ScratchServerTest, AStopWhileItStartsEndsItAndRemovesItsFiles) {
  Program("postgres", "echo $$ >\"" + (temporary_ / "pid.part") + "\"; mv \"" + (temporary_ / "pid.part") + "\" \"" +
                          (temporary_ / "pid") + "\"; exec tail -f /dev/null");
  host_.stop_when = [&] { return Exists(temporary_ / "pid"); };
  EXPECT_EQ(Failure().sqlstate(), mfi::core::sqlstate::kQueryCanceled);
  EXPECT_TRUE(IsGone(std::stoi(mfi::os::ReadFile(temporary_ / "pid"))));
  EXPECT_FALSE(Exists(directory_of_server_));
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
  EXPECT_FALSE(Exists(socket) || Exists(directory_of_server_));
}

TEST_F(ScratchServerTest, ADirectoryThatCannotBeMadeIsAnError) {
  directory_of_server_ = temporary_ / "no/scratch";
  EXPECT_EQ(Failure().sqlstate(), "58P01");
}

}  // namespace
