#include "os/backup/history.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "os/backup/expire.h"
#include "os/backup/record_store.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;
using mfi::core::kDay;
using mfi::core::Manifest;
using mfi::core::RunRecord;
using mfi::core::RunState;
using Lines = std::vector<std::string>;

constexpr mfi::core::UtcSeconds kAt = 1'780'000'000;

/// Records and sets in one directory.
class HistoryTest : public testing::Test {
 protected:
  HistoryTest() {
    MakeDirectory(temporary_ / "backups", 0700);
    directory_.Prepare();
  }

  void Record(const RunRecord& record) { LockedRecord(directory_.RunsPath(), record).Save(); }

  void Both(const Manifest& manifest) {
    Record(manifest.run);
    PublishSample(directory_, manifest);
  }

  HistoryEntry Only() {
    std::vector<HistoryEntry> history = ReadHistory(directory_);
    EXPECT_EQ(history.size(), 1U);
    return history.at(0);
  }

  StoredRun StoredAt(mfi::core::UtcSeconds queued_at) {
    return ReadRun(directory_.RunsPath(), SampleRun(queued_at).id);
  }

  TempDirectory temporary_;
  BackupDirectory directory_{temporary_ / "backups", kNode};
};

TEST_F(HistoryTest, OfAnEmptyDirectoryIsEmpty) {
  EXPECT_EQ(ReadHistory(directory_).size(), 0U);
  EXPECT_EQ(ReadHistory(BackupDirectory(temporary_ / "no", kNode)).size(), 0U);
}

TEST_F(HistoryTest, WhatIsNotReadIsNotMissing) {
  for (int i = 0; i < 20; ++i) {
    Manifest manifest = SampleManifest(kAt + i);
    manifest.hold_reason = std::string(15'000, 'x');
    manifest.held = true;
    Both(manifest);
  }
  bool whole = true;
  ReadHistory(directory_, &whole);
  EXPECT_TRUE(whole);
  const BackupDirectory large(directory_.root(), kNode, {}, 256'000);
  const std::vector<HistoryEntry> history = ReadHistory(large, &whole);
  EXPECT_FALSE(whole);
  ASSERT_EQ(history.size(), 20U);
  for (const HistoryEntry& entry : history) EXPECT_EQ(entry.run.state, RunState::kSucceeded) << entry.run.id;
  EXPECT_FALSE(history.front().has_set);
  EXPECT_TRUE(history.back().has_set);
}

TEST_F(HistoryTest, AReadingAsksBeforeEachFile) {
  for (int i = 0; i < 3; ++i) Both(SampleManifest(kAt + i));
  int looks = 0;
  const BackupDirectory watched(directory_.root(), kNode, [&] { ++looks; });
  ReadHistory(watched);
  EXPECT_EQ(looks, 6);
  const BackupDirectory stopped(directory_.root(), kNode, [] { throw mfi::core::Error("57014", "stop"); });
  EXPECT_EQ(ErrorOf([&] { ReadHistory(stopped); }).sqlstate(), "57014");
}

TEST_F(HistoryTest, ARunAndItsSetAreOneEntry) {
  Both(SampleManifest(kAt));
  const HistoryEntry entry = Only();
  EXPECT_TRUE(entry.has_set && !entry.alive && !entry.held);
  EXPECT_EQ(entry.run.state, RunState::kSucceeded);
}

TEST_F(HistoryTest, ARunWithoutASet) {
  RunRecord failed = SampleRun(kAt, RunState::kFailed);
  failed.error = "no room";
  Record(failed);
  EXPECT_FALSE(Only().has_set);
  EXPECT_EQ(Only().run.error, "no room");
  Record(SampleRun(kAt, RunState::kSucceeded));
  EXPECT_EQ(Only().run.state, RunState::kMissing);
}

TEST_F(HistoryTest, ASetWithoutARecordSpeaksForItself) {
  PublishSample(directory_, SampleManifest(kAt));
  const HistoryEntry entry = Only();
  EXPECT_TRUE(entry.has_set && !entry.alive);
  EXPECT_EQ(entry.run.state, RunState::kSucceeded);
  EXPECT_EQ(entry.run.path, SampleManifest(kAt).run.path);
}

TEST_F(HistoryTest, ARunThatWasInterruptedAfterItsRenameSucceeded) {
  Record(SampleRun(kAt, RunState::kPublishing));
  EXPECT_EQ(Only().run.state, RunState::kFailed);
  PublishSample(directory_, SampleManifest(kAt));
  EXPECT_EQ(Only().run.state, RunState::kSucceeded);
  EXPECT_EQ(Only().run.error, "");
}

TEST_F(HistoryTest, ALivingRunIsAliveThoughItsSetIsPublished) {
  LockedRecord locked(directory_.RunsPath(), SampleRun(kAt, RunState::kVerifying));
  locked.Save();
  PublishSample(directory_, SampleManifest(kAt));
  EXPECT_TRUE(Only().alive && Only().has_set);
  EXPECT_EQ(Only().run.state, RunState::kVerifying);
}

TEST_F(HistoryTest, TheSetKnowsOfItsLaterVerificationAdoptionAndHold) {
  Manifest manifest = SampleManifest(kAt);
  Both(manifest);
  manifest.run.verify_method = mfi::core::VerifyMethod::kRestore;
  manifest.run.verify_result = "table x is missing";
  manifest.run.verified_at.reset();
  manifest.run.note = "only in the manifest";
  manifest.run.system_identifier = "adopted";
  manifest.held = true;
  manifest.hold_reason = "audit";
  directory_.SaveManifest(manifest);
  const HistoryEntry entry = Only();
  EXPECT_EQ(mfi::core::ToString(entry.run.verify_method) + ": " + entry.run.verify_result,
            "restore: table x is missing");
  EXPECT_EQ(entry.run.verified_at, std::nullopt);
  EXPECT_EQ(entry.run.note, "");
  EXPECT_EQ(entry.run.system_identifier, "adopted");
  EXPECT_TRUE(entry.held);
  EXPECT_EQ(entry.hold_reason, "audit");
}

TEST_F(HistoryTest, OldestFirstWhereverTheyComeFrom) {
  Record(SampleRun(kAt + 2, RunState::kFailed));
  PublishSample(directory_, SampleManifest(kAt + 1));
  Both(SampleManifest(kAt));
  std::string order;
  for (const HistoryEntry& entry : ReadHistory(directory_)) order += std::to_string(entry.run.queued_at - kAt);
  EXPECT_EQ(order, "012");
}

TEST_F(HistoryTest, InterruptedRunsOfThisNodeAreClosed) {
  Record(SampleRun(kAt, RunState::kDumping));
  RunRecord other = SampleRun(kAt + 1, RunState::kDumping);
  other.node = "node-b";
  Record(other);
  Record(SampleRun(kAt + 2, RunState::kPublishing));
  PublishSample(directory_, SampleManifest(kAt + 2));
  LockedRecord alive(directory_.RunsPath(), SampleRun(kAt + 3, RunState::kDumping));
  alive.Save();
  Record(SampleRun(kAt + 4, RunState::kFailed));
  EXPECT_EQ(CloseInterruptedRuns(directory_, kNode, kAt + 900), (Lines{SampleRun(kAt).id, SampleRun(kAt + 2).id}));
  EXPECT_EQ(StoredAt(kAt).record.state, RunState::kFailed);
  EXPECT_FALSE(StoredAt(kAt).interrupted);
  EXPECT_EQ(StoredAt(kAt).record.finished_at, kAt + 900);
  EXPECT_EQ(StoredAt(kAt).record.error.rfind("interrupted: ", 0), 0U);
  EXPECT_TRUE(StoredAt(kAt + 1).interrupted);
  EXPECT_EQ(StoredAt(kAt + 2).record.state, RunState::kSucceeded);
  EXPECT_EQ(StoredAt(kAt + 2).record.finished_at, SampleManifest(kAt + 2).run.finished_at);
  EXPECT_TRUE(StoredAt(kAt + 3).alive);
  EXPECT_EQ(CloseInterruptedRuns(directory_, kNode, kAt + 901), Lines{});
}

class ExpireTest : public HistoryTest {
 protected:
  /// Seven daily sets, the oldest ten days old.
  ExpireTest() {
    for (int day = 10; day > 3; --day) Both(SampleManifest(Days(day)));
  }

  static mfi::core::UtcSeconds Days(int ago) { return kAt - ago * kDay; }

  /// Changes the manifest of the set of that day.
  template <typename Change>
  void Alter(int days, const Change& change) {
    Manifest manifest = SampleManifest(Days(days));
    change(manifest);
    directory_.SaveManifest(manifest);
  }

  void ExpireNow(mfi::core::UtcSeconds now = kAt) { Expire(directory_, "bank", kSystem, {5, 1}, now); }

  /// The ages in days of the sets that are there.
  std::string Left() const {
    std::string left;
    for (const StoredSet& set : directory_.Sets()) {
      left += std::to_string((kAt - set.manifest.run.queued_at) / kDay) + " ";
    }
    return left;
  }
};

TEST_F(ExpireTest, DeletesWhatThePreviewSaysAndSaysSoInTheRecord) {
  std::string preview;
  for (const auto& decision : PreviewExpiry(directory_, "bank", kSystem, {5, 1}, kAt)) {
    preview += decision.keep ? "k" : "d";
  }
  EXPECT_EQ(preview, "ddddkkk");
  ExpireNow();
  EXPECT_EQ(Left(), "6 5 4 ");
  EXPECT_EQ(StoredAt(Days(10)).record.state, RunState::kExpired);
  EXPECT_EQ(StoredAt(Days(10)).record.error, "deleted: 9 days old, keep 5");
  EXPECT_EQ(StoredAt(Days(6)).record.state, RunState::kSucceeded);
  for (const HistoryEntry& entry : ReadHistory(directory_)) {
    EXPECT_EQ(entry.has_set, entry.run.state == RunState::kSucceeded) << entry.run.id;
  }
}

TEST_F(ExpireTest, OneThatCannotBeDeletedKeepsNoOther) {
  const std::string stuck = directory_.root() + "/.remove-" + kNode + "-" + SampleRun(Days(9)).id;
  MakeDirectory(stuck, 0700);
  Write(stuck + "/x", "");
  const auto error = ErrorOf([&] { ExpireNow(); });
  EXPECT_EQ(std::string(error.what()).rfind(SampleRun(Days(9)).id + ": could not rename ", 0), 0U) << error.what();
  EXPECT_EQ(Left(), "9 6 5 4 ");
}

TEST_F(ExpireTest, KeepsWhatIsHeldForeignOrFailed) {
  Alter(10, [](Manifest& m) { m.held = true; });
  Alter(9, [](Manifest& m) { m.run.system_identifier = "another"; });
  Alter(8, [](Manifest& m) { m.run.verify_result = "table x is missing"; });
  EXPECT_EQ(PreviewExpiry(directory_, "bank", kSystem, {5, 1}, kAt).back().reason,
            "kept: failed its verification, remove it by hand");
  ExpireNow();
  EXPECT_EQ(Left(), "10 9 8 6 5 4 ");
}

TEST_F(ExpireTest, FailedSetsGoByAgeAndNumberApartFromTheGoodOnes) {
  // By days of age 3, 2, 1, 0; the set 40 days old is of another cluster, that of 39 days is held.
  const auto put_aside = [&](int days, const std::function<void(Manifest&)>& change) {
    Manifest manifest = SampleManifest(Days(days));
    manifest.run.state = RunState::kFailed;
    manifest.run.verify_result = "table x is missing";
    change(manifest);
    PublishSample(directory_, manifest);
    directory_.SetAside(manifest.run.id);
  };
  put_aside(40, [](Manifest& m) { m.run.system_identifier = "another"; });
  put_aside(39, [](Manifest& m) { m.held = true; });
  for (const int days : {3, 2, 1}) put_aside(days, [](Manifest&) {});
  put_aside(0, [](Manifest& m) { m.run.finished_at = kAt; });
  const auto ages = [&] {
    std::string left;
    for (const StoredSet& set : directory_.FailedSets()) {
      left += std::to_string((kAt - set.manifest.run.queued_at) / kDay) + " ";
    }
    return left;
  };
  std::string preview;
  for (const auto& decision : PreviewExpiry(directory_, "bank", kSystem, {3, 2}, kAt)) {
    if (decision.reason.find("failed its verification, ") != std::string::npos) preview += decision.reason + "\n";
  }
  EXPECT_EQ(preview,
            "kept: failed its verification, written by another cluster and not adopted\n"
            "kept: failed its verification, held\n"
            "deleted: failed its verification, not one of the newest 2\n"
            "deleted: failed its verification, not one of the newest 2\n"
            "kept: failed its verification, less than a day old, keep 3\n"
            "kept: failed its verification, less than a day old, keep 3\n");
  ExpireFailed(directory_, "other", kSystem, {3, 2}, kAt);
  EXPECT_EQ(ages(), "40 39 3 2 1 0 ");
  ExpireFailed(directory_, "bank", kSystem, {3, 9}, kAt + kDay);
  EXPECT_EQ(ages(), "40 39 2 1 0 ");
  ExpireFailed(directory_, "bank", kSystem, {0, 1}, kAt + 1);
  EXPECT_EQ(ages(), "40 39 1 0 ");  // two of them, for a day
  ExpireFailed(directory_, "bank", kSystem, {0, 1}, kAt + kDay);
  EXPECT_EQ(ages(), "40 39 ");
  EXPECT_EQ(Left(), "10 9 8 7 6 5 4 ");
  ExpireNow();
  EXPECT_EQ(Left(), "6 5 4 ");  // the failed ones have filled no floor
  EXPECT_EQ(ages(), "40 39 ");
}

TEST_F(ExpireTest, APrivateLogGoesAfterItsRecord) {
  const std::string runs = directory_.RunsPath();
  const std::string alone = runs + "/bank_20200101T000000Z.log";
  const std::string kept = runs + "/" + SampleRun(Days(4)).id + ".log";
  const std::string strange = runs + "/notes.log";
  for (const std::string& path : {alone, kept, strange}) {
    Write(path, "words");
    const timespec old[2] = {{.tv_sec = 1'577'836'800}, {.tv_sec = 1'577'836'800}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), old, 0), 0);
  }
  ExpireNow();
  EXPECT_FALSE(Exists(alone));
  EXPECT_TRUE(Exists(kept) && Exists(strange));
}

TEST_F(ExpireTest, DoesNotTouchOtherDatabases) {
  Alter(10, [](Manifest& m) { m.run.database = "other"; });
  ExpireNow();
  EXPECT_EQ(Left(), "10 6 5 4 ");
}

TEST_F(ExpireTest, DeletesASetThatHasNoRecord) {
  RemoveTree(directory_.RunsPath() + "/" + SampleRun(Days(10)).id + ".json");
  ExpireNow();
  EXPECT_EQ(Left(), "6 5 4 ");
  EXPECT_FALSE(HasRecord(directory_.RunsPath(), SampleRun(Days(10)).id));
}

TEST_F(ExpireTest, DoesNothingWhileAnotherProcessRemoves) {
  const FileLock lock = directory_.LockForRemoval();
  ExpireNow();
  EXPECT_EQ(Left(), "10 9 8 7 6 5 4 ");
}

TEST_F(ExpireTest, ForgetsTheRunsOfExpiredSetsAfterAYear) {
  ExpireNow();
  ExpireNow(Days(9) + 366 * kDay + 1);
  EXPECT_FALSE(HasRecord(directory_.RunsPath(), SampleRun(Days(10)).id));
  EXPECT_FALSE(HasRecord(directory_.RunsPath(), SampleRun(Days(9)).id));
  EXPECT_TRUE(HasRecord(directory_.RunsPath(), SampleRun(Days(8)).id));
}

TEST_F(ExpireTest, ARecordThatCannotBeWrittenStopsIt) {
  MakeDirectory(directory_.RunsPath() + "/." + SampleRun(Days(10)).id + "." + std::to_string(getpid()) + ".tmp", 0700);
  EXPECT_EQ(ErrorOf([&] { ExpireNow(); }).sqlstate(), "58030");
  EXPECT_EQ(Left(), "9 8 7 6 5 4 ");
}

}  // namespace
