#include "os/recovery/base_run.h"

#include <sys/stat.h>
#include <unistd.h>

#include "os/recovery/base_unpack.h"
#include "recovery/recovery_fixture.h"

namespace {

using namespace mfi::test;
using mfi::core::BaseRecord;
using mfi::core::Error;
using mfi::os::Exists;
using mfi::os::ListDirectory;
using mfi::os::ReadFile;

class BaseRun : public RecoveryFixture {
 protected:
  std::vector<std::string> Scratch() const { return ListDirectory(job_.scratch_directory); }
  std::string InBase(const BaseRecord& base, const std::string& name) const {
    return store_.BasePath(base.id) + "/" + name;
  }
  /// A standby of the server, from which the bases are then.
  std::unique_ptr<RealServer> TurnToStandby();
};

TEST_F(BaseRun, AFullOneIsVerifiedPublishedAndKnownByItsRecord) {
  const BaseRecord base = MakeBase(true);
  EXPECT_EQ(phases_, (std::vector<std::string>{"receiving", "verifying", "publishing"}));
  EXPECT_EQ(store_.Bases(), std::vector{base});
  EXPECT_EQ(ListDirectory(store_.BasePath(base.id)),
            (std::vector<std::string>{"backup_manifest", "base.json", "base.tar.zst"}));
  EXPECT_EQ(base.id, mfi::core::BaseId(host_.now, true));
  EXPECT_TRUE(base.full);
  EXPECT_EQ(base.source_role, "primary");
  EXPECT_EQ(base.system_identifier, server_.Sql("SELECT system_identifier FROM pg_control_system()"));
  EXPECT_EQ(base.segment_bytes, 1024 * 1024);
  EXPECT_EQ(base.timeline, 1U);
  EXPECT_LT(base.start, base.end);
  EXPECT_GT(base.data_bytes, base.stored_bytes);
  EXPECT_EQ(base.verified_at, host_.now);
  EXPECT_EQ(base.remark, "");
  EXPECT_TRUE(base.configuration.empty());
  EXPECT_EQ(ModeOf(InBase(base, "base.tar.zst")), 0600U);
  EXPECT_EQ(ModeOf(store_.BasePath(base.id)), 0700U);
  EXPECT_TRUE(Scratch().empty());
}

TEST_F(BaseRun, ConfigurationOutsideTheDataDirectoryIsCopied) {
  server_.Stop();
  Write(temporary_ / "hba", "local all all trust\nlocal replication all trust\n");
  mfi::os::MakeDirectory(temporary_ / "conf.d", 0755);
  Write(temporary_ / "conf.d/mfi.conf", "work_mem = '5MB'\n");
  server_.Configure("hba_file='" + (temporary_ / "hba") + "'\ninclude_dir='" + (temporary_ / "conf.d") + "'\n");
  server_.Start();
  Receive(server_);
  const BaseRecord base = MakeBase(true);
  ASSERT_EQ(base.configuration.size(), 2U);
  EXPECT_EQ(base.configuration.front(), "pg_hba.conf");
  EXPECT_TRUE(base.configuration.back().ends_with("--conf.d--mfi.conf")) << base.configuration.back();
  EXPECT_EQ(ReadFile(InBase(base, "configuration/" + base.configuration.back())), "work_mem = '5MB'\n");
  EXPECT_EQ(ReadFile(InBase(base, "configuration/pg_hba.conf")), ReadFile(temporary_ / "hba"));
  EXPECT_EQ(ModeOf(InBase(base, "configuration/pg_hba.conf")), 0600U);
}

TEST_F(BaseRun, AChainOfThreeWithTablespacesIsCombinedAndStarts) {
  for (const char* name : {"server/fast", "server/fast disk"}) {
    mfi::os::MakeDirectory(temporary_ / name, 0700);
    if (geteuid() == 0) {
      ASSERT_EQ(chown((temporary_ / name).c_str(), 65534, 65534), 0);
    }
  }
  server_.Execute("CREATE TABLESPACE fast LOCATION '" + (temporary_ / "server/fast") + "'");
  server_.Execute("CREATE TABLESPACE in_place LOCATION ''");
  server_.Execute("CREATE TABLE a TABLESPACE fast AS SELECT generate_series(1, 1000) AS i");
  server_.Execute("CREATE TABLE b TABLESPACE in_place AS SELECT generate_series(1, 1000) AS i");
  const BaseRecord full = MakeBase(true);
  server_.Execute("INSERT INTO a SELECT generate_series(1, 5000)");
  const BaseRecord second = MakeBase(false);
  server_.Execute("CREATE TABLESPACE later LOCATION '" + (temporary_ / "server/fast disk") + "'");
  server_.Execute("CREATE TABLE c TABLESPACE later AS SELECT 1 AS i");
  server_.Execute("DELETE FROM b WHERE i > 10");
  const BaseRecord third = MakeBase(false);

  EXPECT_EQ(second.parent, full.id);
  EXPECT_EQ(third.parent, second.id);
  EXPECT_FALSE(third.full);
  EXPECT_EQ(third.remark, "");
  EXPECT_LT(third.stored_bytes, full.stored_bytes / 2);
  ASSERT_EQ(third.tablespaces.size(), 3U);
  EXPECT_EQ(third.tablespaces[0].location, temporary_ / "server/fast");
  EXPECT_EQ(third.tablespaces[1].location, "pg_tblspc/" + std::to_string(third.tablespaces[1].oid));
  EXPECT_EQ(full.tablespaces.size(), 2U);

  server_.Stop();
  mfi::os::RemoveTree(temporary_ / "server/fast");
  mfi::os::RemoveTree(temporary_ / "server/fast disk");
  RealServer recovered(temporary_ / "recovered", RealServer::Data::kNone);
  StartRecovered(third, recovered);
  EXPECT_EQ(recovered.Sql("SELECT (SELECT count(*) FROM a) || ' ' || (SELECT count(*) FROM b) || ' ' || "
                          "(SELECT count(*) FROM c)"),
            "6000 10 1");
  for (const mfi::core::BaseTablespace& tablespace : third.tablespaces) {
    struct stat status {};
    const std::string place = recovered.data() + "/pg_tblspc/" + std::to_string(tablespace.oid);
    ASSERT_EQ(lstat(place.c_str(), &status), 0);
    EXPECT_TRUE(S_ISDIR(status.st_mode)) << place;
  }
  EXPECT_FALSE(Exists(temporary_ / "server/fast")) << "nothing touches the place of the live server's files";
}

TEST_F(BaseRun, AnIncrementalOneWithNothingToBuildOnIsAFullOne) {
  const BaseRecord first = MakeBase(false);
  EXPECT_TRUE(first.full);
  EXPECT_EQ(first.remark, "a full one: there is no base yet");
  server_.Execute("ALTER SYSTEM SET summarize_wal = off");
  server_.Sql("SELECT pg_reload_conf()");
  ASSERT_TRUE(Eventually([&] { return server_.Sql("SHOW summarize_wal") == "off"; }));
  const BaseRecord second = MakeBase(false);
  EXPECT_TRUE(second.full);
  EXPECT_EQ(second.remark, "a full one: the server has no summaries of its WAL since base " + first.id);
}

TEST_F(BaseRun, SummariesThatLackAreNoReasonToHaveNoBase) {
  const BaseRecord first = MakeBase(true);
  server_.Stop();
  receiver_.reset();
  for (const std::string& name : ListDirectory(server_.data() + "/pg_wal/summaries")) {
    mfi::os::RemoveTree(server_.data() + "/pg_wal/summaries/" + name);
  }
  server_.Configure("summarize_wal=off\nwal_keep_size=0\n");
  server_.Start();
  for (int i = 0; i < 3; ++i) {
    server_.Sql("SELECT pg_logical_emit_message(true, '', repeat('x', 1100000))");
    server_.Execute("CHECKPOINT");
  }
  server_.Execute("ALTER SYSTEM SET summarize_wal = on");
  // It has no slot, and may be slow.
  server_.Execute("ALTER SYSTEM SET wal_keep_size = '64MB'");
  server_.Sql("SELECT pg_reload_conf()");
  // The receiver, too, has to begin anew.
  for (const std::string& name : ListDirectory(store_.ReceivingPath())) {
    mfi::os::RemoveTree(store_.ReceivingPath() + "/" + name);
  }
  // By their names nothing is missing, which would be a reason of its own.
  const mfi::core::Lsn now = mfi::core::ParseLsn(server_.Sql("SELECT pg_current_wal_lsn()")).value();
  for (mfi::core::Lsn at = first.start; at < now - now % static_cast<mfi::core::Lsn>(first.segment_bytes);
       at += static_cast<mfi::core::Lsn>(first.segment_bytes)) {
    const std::string name =
        mfi::core::SegmentName(mfi::core::SegmentAt(1, at, first.segment_bytes), first.segment_bytes);
    mfi::os::WriteFileAtomically(store_.WalPath() + "/" + name, "", 0600);
  }
  Receive(server_);
  const BaseRecord second = MakeBase(false);
  EXPECT_TRUE(second.full);
  EXPECT_EQ(second.remark.rfind("a full one, because the server does not build on base " + first.id, 0), 0U)
      << second.remark;
  EXPECT_NE(second.remark.find("WAL summaries are required"), std::string::npos) << second.remark;
}

TEST_F(BaseRun, AParentOfAnotherClusterIsNotBuiltOn) {
  const BaseRecord first = MakeBase(true);
  RealServer other(temporary_ / "other");
  other.Start();
  other.Run("pg_basebackup", {"--dbname=" + other.Conninfo(), "--pgdata=" + (temporary_ / "copy"), "--format=tar",
                              "--wal-method=none", "--checkpoint=fast"});
  Write(InBase(first, "backup_manifest"), ReadFile(temporary_ / "copy/backup_manifest"));
  const BaseRecord second = MakeBase(false);
  EXPECT_TRUE(second.full);
  EXPECT_NE(second.remark.find("system identifier in backup manifest is ..."), std::string::npos) << second.remark;
}

TEST_F(BaseRun, AFlippedByteIsFound) {
  const BaseRecord base = MakeBase(true);
  const std::string path = InBase(base, "base.tar.zst");
  const std::string good = ReadFile(path);
  for (const std::size_t at : {good.size() / 3, good.size() / 2, good.size() - 20}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    Write(path, bad);
    EXPECT_EQ(ErrorOf([&] { VerifyBase(job_, store_.BasePath(base.id), base, host_); }).sqlstate(), "XX001") << at;
  }
  Write(path, good.substr(0, good.size() / 2));
  EXPECT_EQ(ErrorOf([&] { VerifyBase(job_, store_.BasePath(base.id), base, host_); }).sqlstate(), "XX001");
  Write(path, good);
  VerifyBase(job_, store_.BasePath(base.id), base, host_);
  EXPECT_TRUE(Scratch().empty());
}

TEST_F(BaseRun, WhatPgVerifybackupRefusesIsNoBase) {
  Replace("pg_verifybackup", "echo 'pg_verifybackup: error: checksum mismatch for file \"base/1/2\"' >&2; exit 1");
  const Error error = FailureOf(true);
  EXPECT_EQ(error.sqlstate(), "XX001");
  EXPECT_NE(std::string(error.what()).find("checksum mismatch"), std::string::npos) << error.what();
  EXPECT_TRUE(Bases().empty());
  EXPECT_TRUE(Scratch().empty());
}

TEST_F(BaseRun, AKilledProgramLeavesNothing) {
  Replace("pg_basebackup",
          "for a; do case $a in --pgdata=*) mkdir \"${a#*=}\"; echo half >\"${a#*=}/base.tar.zst\";; esac; done; kill "
          "-9 $$");
  const Error error = FailureOf(true);
  EXPECT_STREQ(error.what(), "pg_basebackup failed with exit code 137");
  EXPECT_TRUE(Bases().empty());
}

TEST_F(BaseRun, OneThatWasKilledLeavesAHiddenNameThatTheNextOneRemoves) {
  Replace("pg_basebackup",
          "for a; do case $a in --pgdata=*) mkdir \"${a#*=}\"; echo half >\"${a#*=}/base.tar.zst\";; esac; done; "
          "exec tail -f /dev/null");
  Forked run([&] {
    MakeBase(true);
    return 0;
  });
  ASSERT_TRUE(Eventually([&] { return !Bases().empty(); }));
  EXPECT_NE(FailureOf(true).what(), std::string()) << "one at a time";
  run.Kill();
  run.Wait();
  ASSERT_EQ(Bases().size(), 1U);
  EXPECT_EQ(Bases()[0].rfind(".new-", 0), 0U);
  EXPECT_TRUE(store_.Bases().empty());
  Replace("pg_basebackup", "exec \"$REAL\" \"$@\"");
  EXPECT_EQ(Bases().size(), 1U);
  const BaseRecord base = MakeBase(true);
  EXPECT_EQ(Bases(), std::vector{base.id});
}

TEST_F(BaseRun, WithoutRoomThereIsAClearErrorAndNothingIsTried) {
  BaseRecord base = MakeBase(true);
  base.stored_bytes = std::int64_t{1} << 60;
  store_.SaveBase(base);
  const Error error = FailureOf(true);
  EXPECT_EQ(error.sqlstate(), "53100");
  EXPECT_NE(std::string(error.what()).find("the base is expected to need 1181116006 GB"), std::string::npos)
      << error.what();
  base.stored_bytes = 1;
  base.data_bytes = std::int64_t{1} << 60;
  store_.SaveBase(base);
  EXPECT_EQ(FailureOf(true).sqlstate(), "53100");
  EXPECT_EQ(Bases(), std::vector{base.id});
}

TEST_F(BaseRun, WithoutAReceiverTheErrorNamesIt) {
  receiver_.reset();
  job_.limit = std::chrono::seconds(8);
  const Error error = FailureOf(true);
  EXPECT_EQ(
      std::string(error.what())
          .rfind(
              "the base backup took longer than 8 s, while it waited for the WAL receiver: the store has no WAL up to",
              0),
      0U)
      << error.what();
  EXPECT_TRUE(Bases().empty());
}

std::unique_ptr<RealServer> BaseRun::TurnToStandby() {
  auto standby = std::make_unique<RealServer>(temporary_ / "standby", server_);
  standby->Start();
  job_.socket_directory = standby->directory();
  job_.data_directory = standby->data();
  Receive(*standby);
  return standby;
}

TEST_F(BaseRun, AnIdleStandbyIsWaitedForUntilThereIsSomethingNew) {
  const auto standby = TurnToStandby();
  const BaseRecord full = MakeBase(true);
  EXPECT_EQ(full.source_role, "standby");
  job_.limit = std::chrono::seconds(3);
  const Error error = FailureOf(false);
  EXPECT_EQ(std::string(error.what()),
            "the base backup took longer than 3 s, while it waited for the standby to replay "
            "a checkpoint of the primary after " +
                mfi::core::FormatLsn(full.end));
  EXPECT_EQ(Bases(), std::vector{full.id});

  job_.limit = std::chrono::seconds(60);
  server_.Execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
  int looks = 0;
  host_.stop_when = [&] {
    if (++looks == 20) {
      host_.stop_when = nullptr;
      server_.Execute("CHECKPOINT");
    }
    return false;
  };
  const BaseRecord second = MakeBase(false);
  EXPECT_EQ(second.parent, full.id);
  EXPECT_EQ(second.remark, "");
  RealServer recovered(temporary_ / "recovered", RealServer::Data::kNone);
  StartRecovered(second, recovered);
  EXPECT_EQ(recovered.Sql("SELECT count(*) FROM t"), "1000");
}

TEST_F(BaseRun, AChainGoesOnAfterAPromotion) {
  const auto standby = TurnToStandby();
  const BaseRecord full = MakeBase(true);
  server_.Execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
  ASSERT_TRUE(Eventually([&] { return standby->Sql("SELECT to_regclass('t') IS NOT NULL") == "t"; }));
  server_.Stop();
  standby->Sql("SELECT pg_promote()");
  standby->Execute("INSERT INTO t SELECT 1 FROM pg_catalog.generate_series(1, 10)");
  const BaseRecord second = MakeBase(false);
  EXPECT_EQ(second.parent, full.id);
  EXPECT_EQ(second.timeline, 2U);
  EXPECT_LT(second.start, second.end);
}

}  // namespace
