#include "os/backup/record_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <memory>

#include "support.h"

namespace {

using namespace mfi::os;
using mfi::core::RunRecord;
using mfi::core::RunState;
using mfi::test::ErrorOf;
using mfi::test::Eventually;
using mfi::test::SampleRun;
using mfi::test::TempDirectory;
using mfi::test::Write;

constexpr mfi::core::UtcSeconds kAt = 1'780'000'000;

class RecordStore : public testing::Test {
 protected:
  void SaveAndLetGo(const RunRecord& record) { LockedRecord(path(), record).Save(); }
  std::string FileOf(const RunRecord& record) { return directory_ / (record.id + ".json"); }
  StoredRun Read(const RunRecord& record) { return ReadRun(path(), record.id); }
  const std::string& path() const { return directory_.path(); }
  static std::vector<StoredRun> Runs(const std::string& path) {
    Reading reading;
    return ReadRuns(path, reading);
  }

  TempDirectory directory_;
};

TEST_F(RecordStore, ARunLivesAsLongAsItsRecordIsHeld) {
  const RunRecord record = SampleRun(kAt, RunState::kDumping);
  {
    LockedRecord locked(path(), record);
    EXPECT_FALSE(HasRecord(path(), record.id));
    locked.Save();
    EXPECT_TRUE(HasRecord(path(), record.id));
    for (const RunState state : {RunState::kPublishing, RunState::kVerifying}) {
      locked.record().state = state;
      locked.Save();
      const StoredRun run = Read(record);
      EXPECT_TRUE(run.alive && !run.interrupted);
      EXPECT_EQ(run.record.state, state);
    }
  }
  const StoredRun run = Read(record);
  EXPECT_TRUE(!run.alive && run.interrupted);
  EXPECT_EQ(run.record.state, RunState::kFailed);
  EXPECT_EQ(run.record.error.rfind("interrupted: ", 0), 0U);
}

TEST_F(RecordStore, ReadingAnInterruptedRunLeavesTheFileAsItIs) {
  const RunRecord record = SampleRun(kAt, RunState::kDumping);
  SaveAndLetGo(record);
  EXPECT_TRUE(Read(record).interrupted);
  EXPECT_EQ(ReadFile(FileOf(record)), ToJson(record));
  EXPECT_EQ(mfi::test::ModeOf(FileOf(record)), 0600U);
  EXPECT_EQ(ListDirectory(path()).size(), 1U);
}

TEST_F(RecordStore, AFinalRunIsNeitherAliveNorInterrupted) {
  for (const RunState state : {RunState::kSucceeded, RunState::kFailed, RunState::kCancelled, RunState::kExpired}) {
    LockedRecord locked(path(), SampleRun(kAt, state));
    locked.Save();
    const StoredRun run = Read(locked.record());
    EXPECT_TRUE(!run.alive && !run.interrupted);
    EXPECT_EQ(run.record.state, state);
    EXPECT_EQ(run.record.error, "");
  }
}

TEST_F(RecordStore, ADeadProcessLeavesAnInterruptedRun) {
  const RunRecord record = SampleRun(kAt, RunState::kVerifying);
  mfi::test::Forked runner([&] {
    LockedRecord locked(path(), record);
    locked.Save();
    pause();
    return 0;
  });
  ASSERT_TRUE(Eventually([&] { return HasRecord(path(), record.id); }));
  EXPECT_TRUE(Read(record).alive);
  runner.Kill();
  runner.Wait();
  EXPECT_TRUE(Read(record).interrupted);
}

TEST_F(RecordStore, ARunIsTakenOverWithoutAGap) {
  RunRecord record = SampleRun(kAt, RunState::kQueued);
  auto launcher = std::make_unique<LockedRecord>(path(), record);
  launcher->Save();
  record.state = RunState::kDumping;
  mfi::test::Forked runner([&] {
    LockedRecord locked(path(), record);
    locked.Save();
    pause();
    return 0;
  });
  ASSERT_TRUE(Eventually([&] {
    const StoredRun run = Read(record);
    EXPECT_TRUE(run.alive);
    return run.record.state == RunState::kDumping;
  }));
  launcher.reset();
  EXPECT_TRUE(Read(record).alive);
  runner.Kill();
  runner.Wait();
  EXPECT_TRUE(Read(record).interrupted);
}

TEST_F(RecordStore, AReaderNeverSeesARunBetweenTwoSavesAsInterrupted) {
  RunRecord record = SampleRun(kAt, RunState::kDumping);
  LockedRecord(path(), SampleRun(kAt - 1)).Save();
  const auto first = std::make_unique<LockedRecord>(path(), record);
  first->Save();
  mfi::test::Forked writer([&] {
    LockedRecord locked(path(), record);
    for (int i = 0; i < 3000; ++i) {
      locked.record().state = i % 2 == 0 ? RunState::kDumping : RunState::kPublishing;
      locked.record().attempt = i;
      locked.Save();
    }
    locked.record().state = RunState::kSucceeded;
    locked.Save();
    return 0;
  });
  int reads = 0;
  int attempt = 0;
  for (bool ended = false; !ended; ++reads) {
    const std::vector<StoredRun> runs = Runs(path());
    ASSERT_EQ(runs.size(), 2U);
    ASSERT_FALSE(runs[1].interrupted) << reads;
    ASSERT_GE(runs[1].record.attempt, attempt) << "an older record was read after a newer one";
    attempt = runs[1].record.attempt;
    ended = runs[1].record.state == RunState::kSucceeded;
  }
  EXPECT_EQ(writer.Wait(), 0);
  EXPECT_GT(reads, 100);
}

TEST_F(RecordStore, ListsOldestFirstAndPassesOverTheRest) {
  SaveAndLetGo(SampleRun(kAt + 100));
  SaveAndLetGo(SampleRun(kAt));
  SaveAndLetGo(SampleRun(kAt + 50, RunState::kQueued));
  Write(directory_ / ".lock", "");
  Write(directory_ / "notes.json", ToJson(SampleRun(kAt)));
  Write(directory_ / ".json", "");
  Write(directory_ / (mfi::test::SampleRun(kAt + 1).id + ".json"), "{\"id\": ");
  Write(directory_ / (mfi::test::SampleRun(kAt + 2).id + ".json.tmp"), ToJson(SampleRun(kAt + 2)));
  mkfifo((directory_ / (SampleRun(kAt + 3).id + ".json")).c_str(), 0600);
  MakeDirectory(directory_ / (SampleRun(kAt + 4).id + ".json"), 0700);
  symlink((SampleRun(kAt).id + ".json").c_str(), (directory_ / (SampleRun(kAt + 5).id + ".json")).c_str());
  std::string seen;
  for (const StoredRun& run : Runs(path())) {
    seen += std::to_string(run.record.queued_at - kAt) + " " + ToString(run.record.state) + "; ";
  }
  EXPECT_EQ(seen, "0 succeeded; 50 failed; 100 succeeded; ");
  EXPECT_EQ(Runs(directory_ / "no").size(), 0U);
}

TEST_F(RecordStore, ARecordOfAnotherNameIsNone) {
  SaveAndLetGo(SampleRun(kAt));
  for (int i = 1; i <= 5; ++i) {
    const std::string copy = directory_ / (SampleRun(kAt + i).id + ".json");
    ASSERT_EQ(link(FileOf(SampleRun(kAt)).c_str(), copy.c_str()), 0);
  }
  EXPECT_EQ(Runs(path()).size(), 1U);
  EXPECT_EQ(ErrorOf([&] { ReadRun(path(), SampleRun(kAt + 1).id); }).sqlstate(), "42704");
}

TEST_F(RecordStore, ACrowdIsReadUpToABudgetAndCanBeStopped) {
  for (int i = 0; i < 10; ++i) SaveAndLetGo(SampleRun(kAt + i));
  Reading small({}, 4 * 1024);
  const std::vector<StoredRun> runs = ReadRuns(path(), small);
  EXPECT_FALSE(small.whole());
  ASSERT_FALSE(runs.empty());
  EXPECT_LE(runs.size(), 4U);
  EXPECT_EQ(runs.back().record.queued_at, kAt + 9) << "the newest are read first";
  int looks = 0;
  Reading stopped([&] {
    if (++looks == 3) throw mfi::core::Error("57014", "stop");
  });
  EXPECT_EQ(ErrorOf([&] { ReadRuns(path(), stopped); }).sqlstate(), "57014");
  EXPECT_EQ(looks, 3);
  Reading enough;
  EXPECT_EQ(ReadRuns(path(), enough).size(), 10U);
  EXPECT_TRUE(enough.whole());
}

TEST_F(RecordStore, AnUnknownRunIsAnErrorWithAHint) {
  Write(directory_ / "outside.json", "");
  for (const std::string& id : {SampleRun(kAt).id, std::string("../outside"), std::string()}) {
    const auto error = ErrorOf([&] { ReadRun(path(), id); });
    EXPECT_EQ(error.sqlstate(), "42704");
    EXPECT_EQ(error.what(), "there is no backup run \"" + id + "\"");
    EXPECT_NE(error.hint(), "");
  }
}

TEST_F(RecordStore, OldRunsAreForgottenUnlessTheyLiveOrHaveASet) {
  SaveAndLetGo(SampleRun(kAt - 5, RunState::kFailed));
  SaveAndLetGo(SampleRun(kAt - 4, RunState::kExpired));
  SaveAndLetGo(SampleRun(kAt - 3, RunState::kDumping));
  SaveAndLetGo(SampleRun(kAt - 2, RunState::kSucceeded));
  LockedRecord alive(path(), SampleRun(kAt - 1, RunState::kDumping));
  alive.Save();
  SaveAndLetGo(SampleRun(kAt, RunState::kFailed));
  Reading reading;
  ForgetOldRuns(path(), kAt, reading);
  std::string left;
  for (const StoredRun& run : Runs(path())) left += std::to_string(run.record.queued_at - kAt) + " ";
  EXPECT_EQ(left, "-2 -1 0 ");
}

TEST_F(RecordStore, WhatACrashLeftOfASaveIsRemovedWhenItIsOld) {
  const std::string id = SampleRun(kAt).id;
  for (const auto& [name, modified_at] : std::map<std::string, time_t>{{"." + id + ".17.tmp", kAt - 1},
                                                                       {"." + id + ".17.tmp.tmp", kAt - 1},
                                                                       {"." + id + ".18.tmp", kAt},
                                                                       {"notes.tmp", kAt - 1}}) {
    Write(directory_ / name, "{");
    const timespec times[] = {{modified_at, 0}, {modified_at, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, (directory_ / name).c_str(), times, 0), 0);
  }
  Reading reading;
  ForgetOldRuns(path(), kAt, reading);
  EXPECT_EQ(ListDirectory(path()), (std::vector<std::string>{"." + id + ".18.tmp", "notes.tmp"}));
}

TEST_F(RecordStore, WithoutItsDirectoryNothingCanBeSaved) {
  LockedRecord locked(directory_ / "no", SampleRun(kAt));
  EXPECT_EQ(ErrorOf([&] { locked.Save(); }).sqlstate(), "58P01");
}

}  // namespace
