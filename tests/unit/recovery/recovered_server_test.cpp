#include "os/recovery/recovered_server.h"

#include <unistd.h>

#include <iostream>

#include "os/recovery/wal_end.h"
#include "real_programs.h"
#include "recovery/recovery_fixture.h"

namespace {

using namespace mfi::test;
using mfi::core::BaseRecord;
using mfi::core::Error;
using mfi::core::Lsn;
using mfi::os::RecoveredServer;

class Recovered : public RecoveryFixture {
 protected:
  Recovered() {
    job_.sandbox.executable = {DirectoryOfPrograms(), temporary_ / "bin", "/usr/bin", "/bin"};
    job_.patience = std::chrono::milliseconds(300);
    for (const char* program : {"pg_combinebackup", "pg_controldata", "pg_waldump", "postgres"}) {
      Replace(program, "exec \"$REAL\" \"$@\"");
    }
  }

  /// All that was written to this moment is in the store.
  Lsn AwaitReceived() {
    server_.Sql("SELECT pg_logical_emit_message(true, 'test', 'the end')");
    const std::string end = server_.Sql("SELECT pg_current_wal_flush_lsn()");
    EXPECT_TRUE(Eventually([&] {
      return server_.Sql("SELECT flush_lsn >= '" + end +
                         "' FROM pg_stat_replication WHERE application_name = 'pg_receivewal'") == "t";
    }));
    return mfi::core::ParseLsn(end).value();
  }

  /// The owner of everything, where this process is root's: then a server does not run as that.
  void AsUser(const std::function<void()>& body) {
    if (geteuid() != 0) return body();
    mfi::os::RunCommand({"/bin/chown", {"-R", "65534:65534", temporary_.path()}, mfi::os::CleanEnvironment()}, host_);
    Forked child([&] {
      if (setgid(65534) != 0 || setuid(65534) != 0) return 2;
      body();
      std::cout << std::flush;
      return HasFailure() ? 1 : 0;
    });
    EXPECT_EQ(child.Wait(), 0);
  }

  Error FailureOfReplay(const BaseRecord& base, Lsn until) {
    RecoveredServer recovered(job_, store_, {base}, {}, {}, host_);
    recovered.Unpack();
    return ErrorOf([&] { recovered.Replay(until, until - 1); });
  }
};

TEST_F(Recovered, OneThatRefusesItsSuperuserSaysSo) {
  BaseRecord base = MakeBase(true);
  const Lsn end = AwaitReceived();
  AsUser([&] {
    base.superuser = "the_former_one";
    const Error error = FailureOfReplay(base, end);
    EXPECT_EQ(error.sqlstate(), "55000");
    const std::string words = error.what();
    EXPECT_TRUE(words.starts_with("the recovered server refuses its superuser \"the_former_one\": ")) << words;
    EXPECT_TRUE(words.ends_with("role \"the_former_one\" does not exist")) << words;
    EXPECT_NE(error.hint().find("SELECT mfi_recovery_base_now()"), std::string::npos) << error.hint();
  });
}

TEST_F(Recovered, OneBetweenSubtransactionsEndsItsRecoveryWhereAllIsReplayed) {
  server_.Execute("CREATE TABLE t (i int)");
  mfi::os::Connection writer = server_.Connect();
  writer.Execute("BEGIN");
  writer.Execute(
      "DO $$ BEGIN FOR i IN 1..100 LOOP BEGIN INSERT INTO t VALUES (i); EXCEPTION WHEN division_by_zero THEN END; "
      "END LOOP; END $$");
  const BaseRecord base = MakeBase(true);
  server_.Execute("INSERT INTO t VALUES (0)");
  const Lsn end = AwaitReceived();
  AsUser([&] {
    {
      RecoveredServer recovered(job_, store_, {base}, {}, {}, host_);
      recovered.Unpack();
      const mfi::os::WalReach reach =
          mfi::os::FindWalReach(job_, store_, {}, base.segment_bytes, recovered.place().directory(), host_);
      recovered.Replay(reach.to, reach.last_record);
      EXPECT_TRUE(recovered.HasEnded());
      recovered.Promote();
      EXPECT_GE(recovered.Replayed(), end);
      EXPECT_EQ(recovered.Open("postgres")->Value("SELECT pg_catalog.string_agg(i::text, ' ') FROM public.t"), "0");
      recovered.StopForGood();
      const mfi::os::ChildResult control = mfi::os::RunCommand(
          {job_.binary_directory + "/pg_controldata", {recovered.place().DataDirectory()}, mfi::os::CleanEnvironment()},
          host_);
      EXPECT_NE(control.output.find("cluster state:               shut down\n"), std::string::npos) << control.output;
    }
    // A target that does not come, as nobody can ask whether it did.
    {
      RecoveredServer recovered(job_, store_, {base}, {},
                                {"recovery_target_xid=4000000", "recovery_target_action=pause"}, host_);
      recovered.Unpack();
      const Error error = ErrorOf([&] { recovered.Replay(end, end - 1); });
      EXPECT_EQ(error.sqlstate(), "38000");
      EXPECT_EQ(std::string(error.what()), "the recovered server takes no sessions with WAL to " +
                                               mfi::core::FormatLsn(end) + ": its target does not come, or base " +
                                               base.id + " is not consistent there");
      EXPECT_NE(error.hint().find("mfi recover --list"), std::string::npos) << error.hint();
    }
    // WAL that ends before.
    RecoveredServer recovered(job_, store_, {base}, {}, {}, host_);
    recovered.Unpack();
    const Error error = ErrorOf([&] { recovered.Replay(end, end + 1); });
    EXPECT_EQ(error.sqlstate(), "XX001");
    EXPECT_TRUE(std::string(error.what()).starts_with("replay ends at ")) << error.what();
  });
}

/// With names so long that their records lie across pages.
TEST_F(Recovered, TablespacesMadeSinceTheBaseAreInsideOfIt) {
  const BaseRecord base = MakeBase(true);
  const std::string long_name = server_.directory() + "/" + std::string(200, 'a') + "/" + std::string(200, 'b') + "/" +
                                std::string(200, 'c') + "/";
  std::vector<std::string> places{"-p", server_.directory() + "/short"};
  for (int i = 0; i < 30; ++i) places.push_back(long_name + std::to_string(i));
  mfi::os::RunCommand({"/bin/mkdir", places, mfi::os::CleanEnvironment()}, host_);
  server_.TakeOver(server_.directory());
  server_.Execute("CREATE TABLESPACE short LOCATION '" + places[1] + "'");
  for (int i = 0; i < 30; ++i) {
    const std::string number = std::to_string(i);
    server_.Execute(std::string("CREATE TABLESPACE t").append(number) + " LOCATION '" + long_name + number + "'");
  }
  server_.Execute("CREATE TABLE t TABLESPACE short AS SELECT generate_series(1, 1000) AS i");
  server_.Execute("CREATE TABLE u TABLESPACE t29 AS SELECT 1 AS i");
  const Lsn end = AwaitReceived();
  AsUser([&] {
    RecoveredServer recovered(job_, store_, {base}, {}, {}, host_);
    recovered.Unpack();
    recovered.Replay(end, end - 1);
    recovered.Promote();
    const auto session = recovered.Open("postgres");
    EXPECT_EQ(session->Value("SELECT (SELECT pg_catalog.count(*) FROM public.t) + (SELECT i FROM public.u)"), "1001");
    EXPECT_EQ(session->Value("SELECT pg_catalog.count(*) FROM pg_catalog.pg_tablespace WHERE oid >= 16384 AND "
                             "pg_catalog.pg_tablespace_location(oid) = 'pg_tblspc/' || oid"),
              "31");
    const std::string inside = recovered.place().DataDirectory() + "/pg_tblspc/";
    for (const std::string& oid : mfi::os::ListDirectory(inside)) EXPECT_EQ(TargetOf(inside + oid), "") << oid;
  });
}

}  // namespace
