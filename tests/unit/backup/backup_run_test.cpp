#include "os/backup/backup_run.h"

#include "fake_programs.h"
#include "os/backup/record_store.h"

namespace {

using namespace mfi::test;
using mfi::core::RunRecord;
using mfi::core::RunState;
using mfi::os::ReadRun;

/// Runs that end before there is anything to dump; whole ones need a server and are in whole_backup_test.cpp.
class BackupRunTest : public FakePrograms {
 protected:
  /// Runs the backup; the record on disk must say the same as the one returned.
  RunRecord Run() {
    RunRecord returned = RunBackup(job_, host_);
    EXPECT_EQ(ToJson(ReadRun(directory_.RunsPath(), job_.record.id).record), ToJson(returned));
    EXPECT_FALSE(mfi::os::Exists(directory_.PartialPath(job_.record.id)));
    EXPECT_FALSE(mfi::os::Exists(directory_.SetPath(job_.record.id)));
    return returned;
  }
};

TEST_F(BackupRunTest, WithoutTheProgramsItFailsWithAHint) {
  mfi::os::RemoveTree(temporary_ / "bin/pg_dump");
  const RunRecord record = Run();
  EXPECT_EQ(record.state, RunState::kFailed);
  EXPECT_EQ(record.error, "there is no " + (temporary_ / "bin/pg_dump") +
                              " (Install the client programs of PostgreSQL 17 in \"" + job_.binary_directory + "\".)");
  EXPECT_EQ(record.started_at, host_.now);
  EXPECT_EQ(record.finished_at, host_.now);
  EXPECT_EQ(record.path, "");
  EXPECT_EQ(host_.states, std::vector{RunState::kDumping});
}

TEST_F(BackupRunTest, WithoutAServerItFailsAndLeavesNothing) {
  const RunRecord record = Run();
  EXPECT_EQ(record.state, RunState::kFailed);
  EXPECT_EQ(record.error.rfind("the backup could not log in: ", 0), 0U) << record.error;
}

TEST_F(BackupRunTest, AStopMakesItCancelled) {
  Program("pg_dump", "", "17.11'; exec tail -f /dev/null; echo '");
  host_.stop_when = [&] { return !host_.states.empty(); };
  const RunRecord record = Run();
  EXPECT_EQ(record.state, RunState::kCancelled);
  EXPECT_EQ(record.error, "told to stop");
}

TEST_F(BackupRunTest, OnlyOneRunsPerDatabaseAndDirectory) {
  const auto other = directory_.LockForRun("bank");
  const RunRecord record = Run();
  EXPECT_EQ(record.state, RunState::kFailed);
  EXPECT_EQ(record.error, "another process is backing up this database into \"" + job_.directory +
                              "\" (Wait for it, or give each node that schedules backups a directory of its own.)");
}

TEST_F(BackupRunTest, WithoutItsDirectoryTheReasonIsAtLeastReturned) {
  job_.directory = temporary_ / "no";
  const RunRecord record = RunBackup(job_, host_);
  EXPECT_EQ(record.state, RunState::kFailed);
  EXPECT_EQ(record.error.rfind("the backup directory \"" + job_.directory + "\" does not exist (", 0), 0U)
      << record.error;
}

TEST_F(BackupRunTest, WithoutRoomForAnotherSetItDoesNotStart) {
  auto last = SampleManifest(host_.now - 60);
  last.run.size_bytes = std::int64_t{1} << 60;
  PublishSample(directory_, last);
  const std::string error = Run().error;
  EXPECT_EQ(error.rfind("the backup directory \"" + job_.directory + "\" has ", 0), 0U) << error;
  EXPECT_NE(error.find(" free, the backup is expected to need 1181116006 GB (Free some space there, "),
            std::string::npos)
      << error;
}

TEST_F(BackupRunTest, WhatAnEarlierOneLeftHalfDoneIsRemoved) {
  mfi::os::MakeDirectory(directory_.PartialPath(job_.record.id), 0700);
  EXPECT_EQ(Run().error,
            "could not create the directory \"" + directory_.PartialPath(job_.record.id) + "\": File exists");
}

TEST_F(BackupRunTest, AnUnexpectedExceptionIsAFailureToo) {
  host_.stop_when = [&]() -> bool {
    if (host_.states.empty()) return false;
    throw std::runtime_error("out of paper");
  };
  EXPECT_EQ(Run().error, "out of paper");
}

}  // namespace
