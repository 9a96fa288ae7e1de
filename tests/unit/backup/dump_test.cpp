#include "os/backup/dump.h"

#include "fake_programs.h"
#include "os/server/contents_reader.h"

namespace {

using namespace mfi::test;
using mfi::core::Error;
using mfi::core::Manifest;
using mfi::os::Dump;

class DumpTest : public FakePrograms {
 protected:
  DumpTest() { mfi::os::MakeDirectory(temporary_ / "partial", 0700); }

  /// `SQLSTATE message` of a refused set of programs.
  std::string Refusal() {
    const Error error = ErrorOf([&] { dump().CheckPrograms(); });
    return error.sqlstate() + " " + error.what();
  }

  Dump dump() { return {job_, host_, temporary_ / "partial"}; }
  std::string Bin(const char* name) const { return temporary_ / (std::string("bin/") + name); }
};

TEST_F(DumpTest, TheProgramsMustBeOfTheServersMajorVersion) {
  dump().CheckPrograms();
  Program("pg_dumpall", "", "16.4");
  EXPECT_EQ(Refusal(), "55000 " + Bin("pg_dumpall") + " is of version 16, the server of version 17");
  Program("pg_dumpall", "", "17beta1");
  dump().CheckPrograms();
  WriteScript(Bin("pg_dumpall"), "echo no version");
  EXPECT_EQ(Refusal(), "55000 " + Bin("pg_dumpall") + " is of version 0, the server of version 17");
  WriteScript(Bin("pg_dump"), "echo broken library >&2; exit 2");
  EXPECT_EQ(Refusal(), "38000 pg_dump failed with exit code 2: broken library");
  mfi::os::RemoveTree(Bin("pg_dump"));
  EXPECT_EQ(Refusal(), "58P01 there is no " + Bin("pg_dump"));
  EXPECT_EQ(ErrorOf([&] { dump().CheckPrograms(); }).hint(),
            "Install the client programs of PostgreSQL 17 in \"" + job_.binary_directory + "\".");
}

TEST_F(DumpTest, TheArchiveIsNamedAfterTheDatabase) {
  job_.record.database = "a/b";
  EXPECT_EQ(dump().ArchiveName(), "a%2Fb.dump");
  job_.jobs = 2;
  EXPECT_EQ(dump().ArchiveName(), "a%2Fb.dir");
}

TEST_F(DumpTest, GlobalsAreDumpedThroughAQuotedConninfo) {
  job_.record.database = "it's";
  const std::string globals = temporary_ / "partial/globals.sql";
  const std::string last_line = "\n--\n-- PostgreSQL database cluster dump complete\n--\n";
  Program("pg_dumpall", "printf '%s\\n' \"$@\" >\"" + (temporary_ / "arguments") + "\"; echo '" + last_line + "' >\"" +
                            globals + "\"");
  dump().DumpGlobals();
  const std::string arguments = mfi::os::ReadFile(temporary_ / "arguments");
  const std::string expected = "--globals-only\n--no-sync\n--file=" + globals + "\n--dbname=";
  EXPECT_EQ(arguments.substr(0, expected.size()), expected);
  EXPECT_NE(arguments.find("host='" + job_.socket_directory +
                           "' port=5432 user='postgres' dbname='it\\'s' application_name='mfi backup " +
                           job_.record.id + "' "),
            std::string::npos)
      << arguments;
  EXPECT_NE(arguments.find("-c statement_timeout=0"), std::string::npos);
}

TEST_F(DumpTest, GlobalsWithoutTheirLastLineAreNotComplete) {
  Program("pg_dumpall", "echo 'CREATE ROLE clerk;' >\"" + (temporary_ / "partial/globals.sql") + "\"");
  const Error error = ErrorOf([&] { dump().DumpGlobals(); });
  EXPECT_EQ(error.sqlstate(), mfi::core::sqlstate::kDiskFull);
  EXPECT_EQ(std::string(error.what()).rfind("pg_dumpall did not write ", 0), 0U);
}

TEST_F(DumpTest, AFailureQuotesTheEndOfWhatWasSaid) {
  Program("pg_dumpall", "i=0; while [ $i -lt 20 ]; do i=$((i + 1)); echo line $i >&2; done; exit 1");
  const Error error = ErrorOf([&] { dump().DumpGlobals(); });
  EXPECT_EQ(error.sqlstate(), "38000");
  EXPECT_STREQ(error.what(),
               "pg_dumpall failed with exit code 1: line 13\nline 14\nline 15\nline 16\nline 17\nline 18\nline "
               "19\nline 20");
  Program("pg_dumpall", "kill -KILL $$");
  EXPECT_STREQ(ErrorOf([&] { dump().DumpGlobals(); }).what(), "pg_dumpall failed with exit code 137");
}

TEST_F(DumpTest, EveryTableMustBeInTheListing) {
  Program("pg_restore",
          "[ \"$*\" = \"--list " + (temporary_ / "partial/bank.dump") +
              "\" ] || exit 1; echo '1; 0 16415 TABLE DATA public a o'; echo '2; 0 16416 TABLE DATA public b o'");
  Manifest manifest;
  manifest.contents.tables = {{16415, "public.a", 1}};
  dump().CheckListing(manifest);
  EXPECT_EQ(manifest.run.tables, 2);
  manifest.contents.tables = {{7, "public.x", 1}, {16416, "public.b", 1}, {8, "public.y", std::nullopt}};
  const Error error = ErrorOf([&] { dump().CheckListing(manifest); });
  EXPECT_EQ(error.sqlstate(), mfi::core::sqlstate::kDataCorrupted);
  EXPECT_STREQ(error.what(),
               "the archive is not complete: table public.x has no data in the archive; table public.y has no data in "
               "the archive");
}

TEST_F(DumpTest, AServerThatIsNotThereRefusesNoLogin) {
  Manifest manifest;
  const Error error = ErrorOf([&] { dump().DumpDatabase(manifest); });
  EXPECT_EQ(error.sqlstate(), mfi::core::sqlstate::kConnectionFailure);
  EXPECT_EQ(std::string(error.what()).rfind("the backup could not log in: connection to server on socket ", 0), 0U);
  EXPECT_EQ(error.hint(), "");
}

TEST_F(DumpTest, AStopWhileLoggingInIsNoRefusedLogin) {
  host_.stop_when = [] { return true; };
  job_.socket_directory = "127.0.0.1";
  job_.port = 1;
  Manifest manifest;
  const std::string state = ErrorOf([&] { dump().DumpDatabase(manifest); }).sqlstate();
  EXPECT_EQ(state, mfi::core::sqlstate::kQueryCanceled);
}

}  // namespace
