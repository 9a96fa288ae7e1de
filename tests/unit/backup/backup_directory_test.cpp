#include "os/backup/backup_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include "os/base/directory_owner.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;
using mfi::core::Manifest;
using Lines = std::vector<std::string>;

constexpr mfi::core::UtcSeconds kAt = 1'780'000'000;

class BackupDirectoryTest : public testing::Test {
 protected:
  BackupDirectoryTest() {
    MakeDirectory(temporary_ / "backups", 0700);
    MakeDirectory(temporary_ / "data", 0700);
    directory_.Prepare();
  }

  std::string At(const std::string& name) const { return directory_.root() + "/" + name; }

  Manifest Publish(mfi::core::UtcSeconds queued_at, const std::string& result = "ok") {
    Manifest manifest = SampleManifest(queued_at);
    manifest.run.verify_result = result;
    PublishSample(directory_, manifest);
    return manifest;
  }

  /// Sets by their distance in time from kAt.
  std::string Seen() const {
    std::string seen;
    for (const StoredSet& set : directory_.Sets()) {
      EXPECT_EQ(set.path, directory_.SetPath(set.manifest.run.id));
      seen += std::to_string(set.manifest.run.queued_at - kAt) + " ";
    }
    return seen;
  }

  TempDirectory temporary_;
  BackupDirectory directory_{temporary_ / "backups", kNode};
};

/// Why a directory cannot be used, "" when it can.
std::string Complaint(const std::string& root, const std::string& data) {
  try {
    BackupDirectory(root, kNode).CheckUsable(data);
  } catch (const mfi::core::Error& error) {
    EXPECT_NE(error.hint(), "");
    return error.sqlstate() + " " + error.what();
  }
  return {};
}

TEST_F(BackupDirectoryTest, IsUsableWhenAbsoluteExistingAndOutsideTheData) {
  const std::string data = temporary_ / "data";
  MakeDirectory(data + "/inside", 0700);
  MakeDirectory(temporary_ / "data2", 0700);
  Write(temporary_ / "file", "");
  symlink("data/inside", (temporary_ / "link").c_str());
  const std::string quoted = "\"" + temporary_.path() + "/";
  EXPECT_EQ(Complaint(directory_.root(), data), "");
  EXPECT_EQ(Complaint(temporary_ / "data2", data), "");
  EXPECT_EQ(Complaint(directory_.root(), temporary_ / "no-data"), "");
  EXPECT_EQ(Complaint("", data), "55000 mfi.backup_directory is not set, so backups are off");
  EXPECT_EQ(Complaint("backups", data), "F0000 mfi.backup_directory \"backups\" is not an absolute path");
  EXPECT_EQ(Complaint(temporary_ / "no", data), "58P01 the backup directory " + quoted + "no\" does not exist");
  EXPECT_EQ(Complaint(temporary_ / "file", data), "F0000 the backup directory " + quoted + "file\" is not a directory");
  for (const char* inside : {"data", "data/", "data/inside", "link", "data2/../data"}) {
    std::string shown = inside;
    if (shown.back() == '/') shown.pop_back();
    EXPECT_EQ(Complaint(temporary_ / inside, data),
              "F0000 the backup directory " + quoted + shown + "\" is inside the data directory");
  }
}

TEST_F(BackupDirectoryTest, IsNotUsableWithoutTheRightToWrite) {
  MakeDirectory(temporary_ / "closed", 0500);
  const std::string refused =
      "42501 could not write to the backup directory \"" + (temporary_ / "closed") + "\": Permission denied";
  EXPECT_EQ(Complaint(temporary_ / "closed", temporary_ / "data"), geteuid() == 0 ? "" : refused);
}

TEST_F(BackupDirectoryTest, PreparesOnceAndForgetsTrailingSlashes) {
  EXPECT_EQ(ModeOf(At(".runs")), 0700U);
  directory_.Prepare();
  EXPECT_EQ(BackupDirectory("/x//", kNode).root(), "/x");
  EXPECT_EQ(BackupDirectory("/", kNode).root(), "/");
}

TEST_F(BackupDirectoryTest, LocksARunPerDatabaseAndRemovalOnce) {
  const FileLock run = directory_.LockForRun("a/b");
  const FileLock removal = directory_.LockForRemoval();
  const BackupDirectory other(directory_.root(), "node-b");
  EXPECT_TRUE(run.held() && removal.held());
  EXPECT_FALSE(other.LockForRun("a/b").held() || other.LockForRemoval().held());
  EXPECT_TRUE(other.LockForRun("a").held());
}

TEST_F(BackupDirectoryTest, ASetIsPublishedUnderItsNameWithALink) {
  const Manifest manifest = Publish(kAt);
  const std::string id = manifest.run.id;
  EXPECT_EQ(ListDirectory(directory_.root()), (Lines{".runs", id, id + ".sql.gz"}));
  EXPECT_EQ(ListDirectory(At(id)), (Lines{"bank.dump", "globals.sql", "manifest.json"}));
  EXPECT_EQ(TargetOf(At(id + ".sql.gz")), id + "/bank.dump");
  EXPECT_EQ(ReadFile(At(TargetOf(At(id + ".sql.gz")))), "archive");
  EXPECT_EQ(ModeOf(At(id + "/manifest.json")), 0600U);
  EXPECT_EQ(ToJson(directory_.FindSet(id)), ToJson(manifest));
}

TEST_F(BackupDirectoryTest, AManifestIsAsReadableAsItsSet) {
  Manifest manifest = SampleManifest(kAt);
  const std::string path = At(manifest.run.id) + "/manifest.json";
  const std::string partial = directory_.PartialPath(manifest.run.id);
  MakeDirectory(partial, 0750);
  directory_.Publish(manifest);
  EXPECT_EQ(ModeOf(path), 0640U);
  manifest.held = true;
  manifest.hold_reason = "audit";
  directory_.SaveManifest(manifest);
  EXPECT_EQ(ModeOf(path), 0640U);
  EXPECT_EQ(directory_.FindSet(manifest.run.id).hold_reason, "audit");
}

TEST_F(BackupDirectoryTest, ASetThatCannotBeLinkedIsPublishedAndTold) {
  for (const char* suffix : {".sql.gz", ".sql.gz.tmp"}) {
    const Manifest manifest = SampleManifest(kAt + (std::string(suffix) == ".sql.gz" ? 0 : 1));
    const std::string& id = manifest.run.id;
    MakeDirectory(At(id + suffix), 0700);
    MakeDirectory(directory_.PartialPath(id), 0700);
    Write(directory_.PartialPath(id) + "/bank.dump", "archive");
    const std::string remark = directory_.Publish(manifest);
    EXPECT_EQ(remark.rfind("the link \"" + At(id + ".sql.gz") + "\" could not be set, so remove what is there: ", 0),
              0U)
        << remark;
    EXPECT_EQ(directory_.FindSet(id).run.id, id);
    EXPECT_TRUE(IsDirectory(At(id + suffix)));
    EXPECT_EQ(ListDirectory(directory_.root()).size(), std::string(suffix) == ".sql.gz" ? 3U : 5U)
        << "nothing left over";
  }
}

TEST_F(BackupDirectoryTest, ADirectoryInPlaceOfLatestIsTold) {
  const std::string id = Publish(kAt).run.id;
  MakeDirectory(At("latest"), 0700);
  EXPECT_NE(directory_.PointLatestAtNewestVerified(kSystem), "");
  EXPECT_NE(directory_.PointLatestAtNewestVerified("another"), "");
  rmdir(At("latest").c_str());
  EXPECT_EQ(directory_.PointLatestAtNewestVerified(kSystem), "");
  EXPECT_EQ(TargetOf(At("latest")), id);
}

TEST_F(BackupDirectoryTest, WhatACrashLeftOfAManifestIsRemoved) {
  const std::string id = Publish(kAt).run.id;
  directory_.RemoveUnsavedManifest(id);
  Write(At(id + "/manifest.json.tmp"), "{");
  directory_.RemoveUnsavedManifest(id);
  EXPECT_EQ(ListDirectory(At(id)), (Lines{"bank.dump", "globals.sql", "manifest.json"}));
}

TEST_F(BackupDirectoryTest, NothingIsPublishedOverAnotherSet) {
  const Manifest manifest = Publish(kAt);
  EXPECT_EQ(ErrorOf([&] { PublishSample(directory_, manifest); }).sqlstate(), "58030");
  EXPECT_EQ(Seen(), "0 ");
}

TEST_F(BackupDirectoryTest, WithoutAPartialSetThereIsNothingToPublishOrSave) {
  EXPECT_EQ(ErrorOf([&] { directory_.Publish(SampleManifest(kAt)); }).sqlstate(), "58P01");
  EXPECT_EQ(ErrorOf([&] { directory_.SaveManifest(SampleManifest(kAt)); }).sqlstate(), "58P01");
}

TEST_F(BackupDirectoryTest, ListsSetsOldestFirstAndNothingElse) {
  Publish(kAt + 10);
  Publish(kAt);
  const std::string id = SampleManifest(kAt).run.id;
  MakeDirectory(At(SampleManifest(kAt + 1).run.id), 0700);
  for (const int copy : {2, 3}) MakeDirectory(At(SampleManifest(kAt + copy).run.id), 0700);
  Write(At(SampleManifest(kAt + 2).run.id) + "/manifest.json", "{}");
  Write(At(SampleManifest(kAt + 3).run.id) + "/manifest.json", ReadFile(At(id) + "/manifest.json"));
  Write(At(SampleManifest(kAt + 4).run.id), "a file");
  MakeDirectory(At("lost+found"), 0700);
  Write(At("bank.sql"), "foreign");
  EXPECT_EQ(Seen(), "0 10 ");
  EXPECT_EQ(BackupDirectory(temporary_ / "no", kNode).Sets().size(), 0U);
  const auto error = ErrorOf([&] { directory_.FindSet("bank_20200101T000000Z"); });
  EXPECT_EQ(error.sqlstate(), "42704");
  EXPECT_STREQ(error.what(), "there is no backup set \"bank_20200101T000000Z\"");
}

TEST_F(BackupDirectoryTest, LatestIsTheNewestVerifiedSetOfThisCluster) {
  const auto latest = [&](const char* system) {
    directory_.PointLatestAtNewestVerified(system);
    return TargetOf(At("latest"));
  };
  EXPECT_EQ(latest(kSystem), "");
  Publish(kAt);
  Publish(kAt + 1);
  Publish(kAt + 2, "");
  Publish(kAt + 3, "table x is missing");
  EXPECT_EQ(latest(kSystem), SampleManifest(kAt + 1).run.id);
  EXPECT_EQ(ReadFile(At("latest/bank.dump")), "archive");
  EXPECT_EQ(latest("another cluster"), "");
  MakeDirectory(At("latest"), 0700);
  EXPECT_NE(directory_.PointLatestAtNewestVerified("another cluster"), "");
}

TEST_F(BackupDirectoryTest, AManifestThatCouldNotBeReadAgainIsNotWritten) {
  Manifest manifest = Publish(kAt);
  manifest.hold_reason = std::string(60'000'000, 'x');
  manifest.held = true;
  EXPECT_EQ(ErrorOf([&] { directory_.SaveManifest(manifest); }).sqlstate(), "54000");
  EXPECT_FALSE(directory_.FindSet(manifest.run.id).held);
}

TEST_F(BackupDirectoryTest, ARemovedSetLeavesNothing) {
  const std::string id = Publish(kAt).run.id;
  Publish(kAt + 1);
  directory_.Remove(id);
  directory_.Remove(id);
  EXPECT_EQ(Seen(), "1 ");
  EXPECT_EQ(ListDirectory(directory_.root()).size(), 3U);
  MakeDirectory(At(id + ".sql.gz"), 0700);
  directory_.Remove(id);
  EXPECT_TRUE(IsDirectory(At(id + ".sql.gz"))) << "what is no link of ours stays";
}

TEST_F(BackupDirectoryTest, FailedSetsStayAside) {
  const std::string id = Publish(kAt).run.id;
  const std::string later = Publish(kAt + 1).run.id;
  MakeDirectory(At(".failed-node-b-" + id), 0700);
  symlink(id.c_str(), At(".failed-node-c-" + id).c_str());
  EXPECT_TRUE(directory_.FailedSets().empty());
  EXPECT_EQ(directory_.SetAside(id), ".failed-node-a-" + id);
  EXPECT_EQ(directory_.SetAside(later), ".failed-node-a-" + later);
  EXPECT_EQ(ListDirectory(directory_.root()), (Lines{".failed-node-a-" + id, ".failed-node-a-" + later,
                                                     ".failed-node-b-" + id, ".failed-node-c-" + id, ".runs"}));
  EXPECT_EQ(ReadFile(At(".failed-node-a-" + later + "/bank.dump")), "archive");
  const std::vector<StoredSet> failed = directory_.FailedSets();
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0].manifest.run.id, id);
  EXPECT_EQ(failed[0].path, At(".failed-node-a-" + id));
  directory_.RemoveFailed(failed[0]);
  EXPECT_EQ(directory_.FailedSets().size(), 1U);
}

TEST_F(BackupDirectoryTest, IsOnlyForTheServersOwnUser) {
  const std::string data = temporary_ / "data";
  const auto refused = [&] { return ErrorOf([&] { directory_.CheckUsable(data); }); };
  const std::string root = directory_.root();
  for (const unsigned mode : {0777U, 0770U, 01777U, 0720U, 0702U, 02775U}) {
    chmod(root.c_str(), mode);
    EXPECT_EQ(refused().sqlstate(), "55000") << mode;
    EXPECT_EQ(refused().hint(), "As root: chmod 750 " + root);
  }
  chmod(root.c_str(), 0777);
  EXPECT_STREQ(refused().what(),
               ("the backup directory \"" + root + "\" may be written to by others (mode 0777)").c_str());
  for (const unsigned mode : {0700U, 0750U, 0755U, 02750U}) {
    chmod(root.c_str(), mode);
    EXPECT_EQ(Complaint(root, data), "") << mode;
  }
  chmod(At(".runs").c_str(), 0770);
  EXPECT_EQ(refused().hint(), "As root: chmod 700 " + root + "/.runs");
  chmod(At(".runs").c_str(), 0700);
  Rename(At(".runs"), temporary_ / "runs");
  symlink((temporary_ / "runs").c_str(), At(".runs").c_str());
  EXPECT_EQ(refused().sqlstate(), "58P01");
}

TEST_F(BackupDirectoryTest, IsNotAnotherUsers) {
  std::string root = "/usr";
  if (geteuid() == 0) {
    root = directory_.root();
    ASSERT_EQ(chown(root.c_str(), 1, 1), 0);
  }
  const mfi::core::Error error = ErrorOf([&] { BackupDirectory(root, kNode).CheckUsable(temporary_ / "data"); });
  EXPECT_EQ(error.sqlstate(), "55000");
  EXPECT_NE(std::string(error.what()).find(" belongs to the user "), std::string::npos);
  EXPECT_EQ(error.hint().rfind("As root: chown ", 0), 0U);
  EXPECT_NE(error.hint().find(" " + root + " && chmod 750 " + root), std::string::npos);
}

TEST_F(BackupDirectoryTest, TheWayToItIsNotForOthersToRename) {
  MakeDirectory(temporary_ / "open", 0700);
  MakeDirectory(temporary_ / "open/it's here", 0700);
  const std::string root = temporary_ / "open/it's here";
  EXPECT_EQ(Complaint(root, temporary_ / "data"), "");
  chmod((temporary_ / "open").c_str(), 01777);
  EXPECT_EQ(Complaint(root, temporary_ / "data"), "");
  chmod((temporary_ / "open").c_str(), 0777);
  EXPECT_EQ(Complaint(root, temporary_ / "data"), "55000 the backup directory \"" + root +
                                                      "\" can be renamed by others, who may write to \"" +
                                                      (temporary_ / "open") + "\" (mode 0777)");
  symlink(root.c_str(), (temporary_ / "link").c_str());
  EXPECT_NE(Complaint(temporary_ / "link", temporary_ / "data"), "");
  chmod((temporary_ / "open").c_str(), 0700);
  EXPECT_EQ(Complaint(temporary_ / "link", temporary_ / "data"), "");
  chmod(root.c_str(), 0777);
  EXPECT_EQ(ErrorOf([&] { BackupDirectory(root, kNode).CheckUsable(temporary_ / "data"); }).hint(),
            "As root: chmod 750 '" + (temporary_ / "open/it'\\''s here") + "'");
}

TEST_F(BackupDirectoryTest, AScratchDirectoryMayBeLikeTmp) {
  const std::string at = temporary_ / "scratch";
  MakeDirectory(at, 0700);
  CheckScratchParent(at);
  CheckScratchParent("/tmp");
  chmod(at.c_str(), 01777);
  CheckScratchParent(at);
  chmod(at.c_str(), 0777);
  EXPECT_EQ(ErrorOf([&] { CheckScratchParent(at); }).hint(), "As root: chmod 700 " + at);
}

TEST_F(BackupDirectoryTest, LeftoversOfThisNodeAloneAreRemoved) {
  const std::string id = Publish(kAt).run.id;
  for (const char* name : {".partial-node-a-", ".remove-node-a-", ".failed-node-a-", ".partial-node-b-"}) {
    MakeDirectory(At(name + id), 0700);
    Write(At(name + id) + "/file", "");
  }
  MakeDirectory(At(".partial-node-a-x"), 0700);
  directory_.RemoveLeftovers();
  EXPECT_EQ(ListDirectory(directory_.root()),
            (Lines{".failed-node-a-" + id, ".partial-node-a-x", ".partial-node-b-" + id, ".runs", id, id + ".sql.gz"}));
  BackupDirectory(temporary_ / "no", kNode).RemoveLeftovers();
}

}  // namespace
