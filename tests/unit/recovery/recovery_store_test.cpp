#include "os/recovery/recovery_store.h"

#include <sys/stat.h>

#include "store_support.h"

namespace {

using namespace mfi::core;
using namespace mfi::test;
using mfi::os::Exists;
using mfi::os::ListDirectory;
using mfi::os::RecoveryStore;
using Strings = std::vector<std::string>;

using RecoveryStoreTest = StoreFixture;

TEST_F(RecoveryStoreTest, IsMadeOnceAndPrivate) {
  EXPECT_EQ(store_.Identity(), Own());
  StoreIdentity later = Own();
  later.created_at += 100;
  store_.Prepare(later);
  EXPECT_EQ(store_.Identity(), Own());
  EXPECT_EQ(ListDirectory(store_.path()), (Strings{"aside", "base", "drills", "receiving", "store.json", "wal"}));
  EXPECT_EQ(ModeOf(store_.path()), 0700U);
  EXPECT_EQ(ModeOf(store_.WalPath()), 0700U);
  EXPECT_EQ(ModeOf(store_.path() + "/store.json"), 0600U);
}

TEST_F(RecoveryStoreTest, IsUnknownBeforeItIsMade) {
  const RecoveryStore other(temporary_ / "recovery//", "other");
  EXPECT_FALSE(other.Identity());
  EXPECT_TRUE(other.Wal(kSegmentBytes).empty());
  EXPECT_TRUE(other.Bases().empty());
  other.RemoveLeftovers();
  EXPECT_FALSE(Exists(other.path()));
}

TEST_F(RecoveryStoreTest, ThatOfAnotherClusterIsKept) {
  Write(Wal("000000010000000000000001"), "of the first");
  StoreIdentity other = Own();
  other.system_identifier = "7500000000000000002";
  store_.Prepare(other);
  EXPECT_EQ(store_.Identity(), other);
  EXPECT_TRUE(ListDirectory(store_.WalPath()).empty());
  EXPECT_EQ(mfi::os::ReadFile(store_.path() + "." + kSystem + "/wal/000000010000000000000001"), "of the first");
  // And again, there and back.
  store_.Prepare(Own());
  store_.Prepare(other);
  EXPECT_EQ(
      ListDirectory(temporary_ / "recovery"),
      (Strings{"node-a", "node-a.7400000000000000001", "node-a.7400000000000000001.2", "node-a.7500000000000000002"}));
}

TEST_F(RecoveryStoreTest, ThatOfAnotherClusterIsNotTakenAwayWhileItIsUsed) {
  StoreIdentity other = Own();
  other.system_identifier = "7500000000000000002";
  const auto lock = store_.LockForReceiver();
  ASSERT_TRUE(lock.held());
  const Error error = ErrorOf([&] { store_.Prepare(other); });
  EXPECT_NE(std::string(error.what()).find("is in use by another cluster"), std::string::npos);
  EXPECT_EQ(store_.Identity(), Own());
}

TEST_F(RecoveryStoreTest, WithoutItsIdentityItIsNobodys) {
  mfi::os::RemoveTree(store_.path() + "/store.json");
  store_.Prepare(Own());  // nothing in it
  EXPECT_EQ(store_.Identity(), Own());
  Write(Wal("000000010000000000000001"), "whose?");
  mfi::os::RemoveTree(store_.path() + "/store.json");
  EXPECT_NE(std::string(ErrorOf([&] { store_.Prepare(Own()); }).what()).find("has no store.json"), std::string::npos);
  Write(store_.path() + "/store.json", "{");
  EXPECT_EQ(ErrorOf([&] { store_.Prepare(Own()); }).sqlstate(), sqlstate::kDataCorrupted);
}

TEST_F(RecoveryStoreTest, IsUsableWhereNobodyElseWrites) {
  const std::string data = temporary_ / "data";
  store_.CheckUsable(data);
  const auto refused = [&](const std::string& directory) {
    return ErrorOf([&] { RecoveryStore(directory, kNode).CheckUsable(data); });
  };
  EXPECT_STREQ(refused("").what(), "mfi.recovery_directory is not set, so recovery to a point in time is off");
  EXPECT_EQ(refused("relative").sqlstate(), sqlstate::kConfigFile);
  EXPECT_EQ(refused(temporary_ / "none").sqlstate(), sqlstate::kUndefinedFile);
  mfi::os::MakeDirectory(data + "/inside", 0700);
  EXPECT_NE(refused(data + "/inside").detail(), "");
  chmod(store_.path().c_str(), 0777);
  EXPECT_EQ(refused(temporary_ / "recovery").sqlstate(), sqlstate::kObjectNotInPrerequisiteState);
  chmod(store_.path().c_str(), 0700);
  chmod((temporary_ / "recovery").c_str(), 0777);
  EXPECT_EQ(refused(temporary_ / "recovery").sqlstate(), sqlstate::kObjectNotInPrerequisiteState);
}

TEST_F(RecoveryStoreTest, ItsWalIsWhatWasReceivedAndIsBeingReceived) {
  for (const char* name : {"000000020000000000000006.lz4", "000000010000000000000005.lz4", "000000010000000000000006",
                           "00000002.history.lz4", "notes.txt", "0000000100000000000000FF.gz"}) {
    Write(Wal(name), "");
  }
  Write(Receiving("000000020000000000000007.lz4.partial"), "");
  Write(Receiving("00000002.history.lz4"), "");
  Write(Aside("000000010000000000000003.lz4.partial"), "");
  Write(Aside("000000010000000000000003.lz4.partial.1"), "");
  Write(Aside("000000010000000000000002.lz4.left"), "");
  Strings names;
  for (const WalFile& file : store_.Wal(kSegmentBytes)) names.push_back(file.name);
  EXPECT_EQ(names, (Strings{"00000002.history.lz4", "000000010000000000000003.lz4.partial",
                            "000000010000000000000005.lz4", "000000010000000000000006", "000000020000000000000006.lz4",
                            "000000020000000000000007.lz4.partial"}));
}

TEST_F(RecoveryStoreTest, HistoriesAreReadAsTheyWereReceived) {
  EXPECT_EQ(store_.HistoryOf(1, kSegmentBytes), History());
  EXPECT_EQ(ErrorOf([&] { store_.HistoryOf(2, kSegmentBytes); }).sqlstate(), sqlstate::kUndefinedFile);
  Write(Wal("00000002.history.lz4"), Lz4("1\t0/9587F0\tx\n"));
  Write(Wal("00000003.history"), "1\t0/9587F0\tx\n2\t0/A587F0\ty\n");
  Write(Receiving("00000004.history.lz4"), Lz4("1\t0/9587F0\tx\n"));
  EXPECT_EQ(store_.HistoryOf(2, kSegmentBytes), (History{2, {{1, 0x9587F0}}}));
  EXPECT_EQ(store_.HistoryOf(3, kSegmentBytes).ancestors.size(), 2U);
  EXPECT_EQ(store_.HistoryOf(4, kSegmentBytes).timeline, 4U);
  Write(Wal("00000002.history.lz4"), Lz4("1\t0/9587F0\tx\n").substr(0, 9));
  EXPECT_EQ(ErrorOf([&] { store_.HistoryOf(2, kSegmentBytes); }).sqlstate(), sqlstate::kDataCorrupted);
}

BaseRecord Base(UtcSeconds at, bool full) {
  BaseRecord record;
  record.id = BaseId(at, full);
  record.node = kNode;
  record.system_identifier = kSystem;
  record.server_major = 17;
  record.segment_bytes = kSegmentBytes;
  record.full = full;
  record.parent = full ? "" : BaseId(at - 100, true);
  record.superuser = "postgres";
  record.source_role = "primary";
  record.timeline = 1;
  record.start = 1;
  record.end = 2;
  record.started_at = at;
  record.finished_at = at + 1;
  return record;
}

TEST_F(RecoveryStoreTest, ABaseIsThereByOneRename) {
  const BaseRecord second = Base(1'780'000'100, false);
  const BaseRecord first = Base(1'780'000'000, true);
  for (const BaseRecord& base : {second, first}) {
    mfi::os::MakeDirectory(store_.NewBasePath(base.id), 0700);
    Write(store_.NewBasePath(base.id) + "/base.tar.zst", "data");
    store_.PublishBase(base);
    EXPECT_FALSE(Exists(store_.NewBasePath(base.id)));
  }
  ASSERT_EQ(store_.Bases().size(), 2U);
  EXPECT_EQ(store_.Bases()[0].id, first.id);
  EXPECT_EQ(store_.Bases()[1].id, second.id);
  BaseRecord changed = first;
  changed.node = "renamed";
  store_.SaveBase(changed);
  EXPECT_EQ(store_.Bases()[0].node, "renamed");
  store_.RemoveBase(first.id);
  store_.RemoveBase(first.id);
  ASSERT_EQ(store_.Bases().size(), 1U);
  EXPECT_FALSE(Exists(store_.BasePath(first.id)));
}

TEST_F(RecoveryStoreTest, ABaseOfAnotherClusterIsNone) {
  BaseRecord foreign = Base(1'780'000'000, true);
  foreign.system_identifier = "12";
  mfi::os::MakeDirectory(store_.NewBasePath(foreign.id), 0700);
  store_.PublishBase(foreign);
  EXPECT_TRUE(store_.Bases().empty());
}

TEST_F(RecoveryStoreTest, WhatIsNoBaseIsPassedOverAndLeftoversGo) {
  const std::string id = BaseId(1'780'000'000, true);
  mfi::os::MakeDirectory(store_.BasePath(id), 0700);
  Write(store_.BasePath(id) + "/base.json", "{}");
  for (const std::string& name : {".new-" + id, ".remove-" + id, std::string(".new-else"), std::string("lost+found")}) {
    mfi::os::MakeDirectory(store_.BasesPath() + "/" + name, 0700);
  }
  EXPECT_TRUE(store_.Bases().empty());
  store_.RemoveLeftovers();
  EXPECT_EQ(ListDirectory(store_.BasesPath()), (Strings{".new-else", id, "lost+found"}));
}

}  // namespace
