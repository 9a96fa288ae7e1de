#include "core/base/names.h"
#include "os/backup/backup_run.h"
#include "os/backup/history.h"
#include "os/backup/set_files.h"
#include "os/restore/restore_proof.h"
#include "real_programs.h"

namespace {

using namespace mfi::test;
using mfi::core::Manifest;
using mfi::core::RunRecord;
using mfi::core::RunState;
using mfi::os::Exists;
using Lines = std::vector<std::string>;

class WholeBackup : public RealPrograms {
 protected:
  /// Runs a backup of the job's database, each a minute after the one before.
  RunRecord Run() {
    host_.now += 60;
    host_.states.clear();
    job_.record.queued_at = host_.now;
    job_.record.id = mfi::core::RunId(job_.record.database, host_.now);
    RunRecord record = RunBackup(job_, host_);
    EXPECT_FALSE(Exists(directory_.PartialPath(record.id)));
    EXPECT_FALSE(ScratchIsThere());
    return record;
  }

  std::string Again(const std::string& id) { return VerifySet(job_, id, host_); }
  std::vector<std::string> Files(const std::string& id) const { return mfi::os::ListDirectory(directory_.SetPath(id)); }
};

TEST_F(WholeBackup, IsProvenByItsRestore) {
  const bool icu = Sql("SELECT count(*) FROM pg_collation WHERE collprovider = 'i'") != "0";
  UseDatabase("it's a \"bank\"", icu ? "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'" : "");
  auto source = Connect();
  for (const char* sql : {"CREATE ROLE \"odd \"\"role; -- x\"", "CREATE TABLE users (id serial PRIMARY KEY, name text)",
                          "INSERT INTO users (name) SELECT 'u' || i FROM generate_series(1, 50) i",
                          "ALTER TABLE users OWNER TO \"odd \"\"role; -- x\"", "SELECT lo_create(0)"}) {
    source.Execute(sql);
  }
  job_.verify = mfi::core::VerifyMethod::kRestore;
  job_.group_read = true;
  const RunRecord record = Run();
  EXPECT_EQ(record.error, "");
  EXPECT_EQ(record.state, RunState::kSucceeded);
  EXPECT_EQ(mfi::core::ToString(record.verify_method) + " " + record.verify_result, "restore ok");
  EXPECT_EQ(record.verified_at, host_.now);
  EXPECT_EQ(record.tables, 1);
  EXPECT_EQ(record.source_node + " " + record.source_role, "node-a primary");
  EXPECT_EQ(host_.states, (std::vector{RunState::kDumping, RunState::kPublishing, RunState::kVerifying}));

  const Lines files = {"globals.sql", "it's a \"bank\".dump", "manifest.json"};
  EXPECT_EQ(Files(record.id), files);
  const std::string set = directory_.SetPath(record.id);
  EXPECT_EQ(ModeOf(set), 0750U);
  EXPECT_EQ(ModeOf(set + "/globals.sql"), 0600U);
  EXPECT_EQ(ModeOf(set + "/" + files[1]), 0640U);
  EXPECT_EQ(ModeOf(set + "/manifest.json"), 0640U);
  EXPECT_EQ(TargetOf(directory_.root() + "/latest"), record.id);
  EXPECT_EQ(*record.size_bytes, mfi::os::FileSize(set + "/" + files[0]) + mfi::os::FileSize(set + "/" + files[1]));

  Manifest manifest = directory_.FindSet(record.id);
  EXPECT_EQ(manifest.run.state, RunState::kSucceeded);
  EXPECT_EQ(manifest.contents.tables.at(0).rows, 50);
  EXPECT_EQ(Again(record.id), "ok");
  manifest.contents.tables.at(0).rows = 51;
  directory_.SaveManifest(manifest);
  EXPECT_EQ(Again(record.id), "table public.users: fewer rows restored than the 51 in the source");
  manifest.contents.tables.at(0).rows = 50;
  Write(set + "/globals.sql", "-- no roles\n");
  manifest.files = mfi::os::DescribeFiles(set, host_);
  std::erase_if(manifest.files, [](const auto& file) { return file.name == "manifest.json"; });
  directory_.SaveManifest(manifest);
  const std::string without_roles = Again(record.id);
  EXPECT_NE(without_roles.find(", which is no role of the set"), std::string::npos) << without_roles;
}

TEST_F(WholeBackup, CountsBesideALongDump) {
  const bool builtin = job_.server_major >= 17;
  UseDatabase("bank", builtin ? "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'" : "");
  Connect().Execute(
      "CREATE TABLE big AS SELECT i, repeat(md5(i::text), 2) || md5((-i)::text) AS t FROM generate_series(1, 80000) "
      "i");
  Connect().Execute("ALTER DATABASE bank SET statement_timeout = '1ms'");
  job_.compression = "gzip:9";
  job_.verify = mfi::core::VerifyMethod::kRestore;
  job_.jobs = 2;
  const RunRecord record = Run();
  EXPECT_EQ(record.error, "");
  EXPECT_EQ(mfi::core::ToString(record.verify_method) + " " + record.verify_result, "restore ok");
  EXPECT_EQ(Files(record.id), (Lines{"bank.dir", "globals.sql", "manifest.json"}));
  EXPECT_EQ(directory_.FindSet(record.id).contents.tables.at(0).rows, 80'000);

  Replace("pg_restore", "for a; do case $a in --dbname=*) kill -QUIT $(head -n 1 '" + ScratchOfNode() +
                            "'*/data/postmaster.pid); exec tail -f /dev/null;; esac; done; exec \"$REAL\" \"$@\"");
  const std::string without = Again(record.id);
  EXPECT_EQ(without.rfind("not verified (the backup could not be proven: the scratch server died: ", 0), 0U) << without;
}

TEST_F(WholeBackup, OfADatabaseThatEveryServerHasIsProvenUnderAnotherName) {
  Connect().Execute("CREATE TABLE t AS SELECT 1 AS x");
  job_.record.database = "postgres";
  job_.verify = mfi::core::VerifyMethod::kRestore;
  const RunRecord record = Run();
  EXPECT_EQ(record.error, "");
  EXPECT_EQ(mfi::core::ToString(record.verify_method) + " " + record.verify_result, "restore ok");
}

TEST_F(WholeBackup, ThatGoesWrongLeavesNoSet) {
  UseDatabase("bank");
  Connect().Execute("CREATE TABLE t AS SELECT 1 AS x");

  Replace("pg_dump", "[ \"$1\" != --version ] || exec \"$REAL\" --version; echo no room >&2; exit 1");
  EXPECT_EQ(Run().error, "pg_dump failed with exit code 1: no room");
  PutBack("pg_dump");

  Replace("pg_restore", "[ \"$1\" = --list ] || exec \"$REAL\" \"$@\"; \"$REAL\" \"$@\" | grep -v 'TABLE DATA'");
  EXPECT_EQ(Run().error, "the archive is not complete: table public.t has no data in the archive");

  Replace("pg_restore", "case $1 in --file*) echo broken >&2; exit 1;; esac; exec \"$REAL\" \"$@\"");
  const RunRecord broken = Run();
  EXPECT_EQ(broken.state, RunState::kFailed);
  EXPECT_EQ(broken.error,
            "verification failed: the archive cannot be read to its end: broken (what was dumped is in \"" +
                directory_.root() + "/.failed-node-a-" + broken.id + "\")");
  EXPECT_EQ(broken.path, "");
  PutBack("pg_restore");
  EXPECT_EQ(directory_.Sets().size(), 0U);

  host_.stop_when = [&] { return !host_.states.empty() && host_.states.back() == RunState::kVerifying; };
  const RunRecord stopped = Run();
  EXPECT_EQ(stopped.state, RunState::kCancelled);
  EXPECT_EQ(stopped.error,
            "told to stop; the set is complete but not verified: SELECT mfi_backup_verify('" + stopped.id + "')");
  host_.stop_when = nullptr;
  EXPECT_EQ(directory_.Sets().size(), 1U);
  EXPECT_EQ(Again(stopped.id), "ok");
}

TEST_F(WholeBackup, KeepsToItsRetentionAndItsName) {
  UseDatabase("bank");
  job_.verify = mfi::core::VerifyMethod::kNone;
  job_.retention = {.retain_days = 0, .min_keep = 1};
  const RunRecord first = Run();
  EXPECT_EQ(mfi::core::ToString(first.verify_method) + " " + first.verify_result, "none ");
  job_.verify = mfi::core::VerifyMethod::kList;
  Run();
  const RunRecord third = Run();
  EXPECT_EQ(third.error, "");
  std::string states;
  for (const auto& entry : ReadHistory(directory_)) states += ToString(entry.run.state) + " ";
  EXPECT_EQ(states, "expired expired succeeded ");

  const std::string taken = mfi::core::RunId("bank", host_.now + 60);
  mfi::os::MakeDirectory(directory_.SetPath(taken), 0700);
  EXPECT_EQ(Run().error, "a set named \"" + taken + "\" exists already");

  unlink((directory_.root() + "/" + third.id + ".sql.gz").c_str());
  mfi::os::MakeDirectory(directory_.root() + "/" + third.id + ".sql.gz", 0700);
  mfi::os::MakeDirectory(directory_.root() + "/latest.tmp", 0700);
  mfi::os::MakeDirectory(directory_.root() + "/.remove-" + job_.record.node + "-" + third.id, 0700);
  Write(directory_.root() + "/.remove-" + job_.record.node + "-" + third.id + "/x", "");
  const RunRecord last = Run();
  EXPECT_EQ(last.state, RunState::kSucceeded);
  EXPECT_EQ(last.verify_result, "ok");
  EXPECT_EQ(last.error.rfind("the link \"" + directory_.root() + "/latest\" could not be set", 0), 0U) << last.error;
  EXPECT_NE(last.error.find("; old sets could not be deleted: " + third.id + ": could not rename "), std::string::npos)
      << last.error;
}

}  // namespace
