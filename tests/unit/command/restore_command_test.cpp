#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "command/base/command_host.h"
#include "command/restore/restore_rows.h"
#include "command/restore/restore_server.h"
#include "os/base/file.h"
#include "support.h"

namespace {

using mfi::command::CommandHost;
using mfi::command::Expected;
using mfi::command::RowsTable;
using mfi::command::WithSuffix;
using mfi::core::Contents;

const std::string kHash(32, 'a');

Contents Sample() {
  Contents contents;
  contents.tables = {{1, "public.a", 5, kHash, "", false},
                     {2, "public.p1", 3, kHash, "public.p", false},
                     {3, "public.p2", 4, std::string(32, '0'), "public.p", false},
                     {4, "ext.config", 1, "", "", true}};
  contents.sequences = {{"public.s", 1, 2}};
  contents.large_objects_hash = kHash;
  return contents;
}

TEST(RestoreRows, ALineForEachTableAndOneForAll) {
  Contents found = Sample();
  found.tables[1].rows = 4;  // of a hash-partitioned tree, rows may lie otherwise
  found.tables[2].rows = 3;
  EXPECT_EQ(RowsTable(Sample(), found),
            "  table                                         backup    restored\n"
            "  public.a                                           5           5\n"
            "  public.p                                           7           7\n"
            "  2 tables                                          12          12   all equal\n");
  found.tables[0].hash = std::string(32, 'b');
  found.tables.resize(1);
  EXPECT_EQ(RowsTable(Sample(), found),
            "  table                                         backup    restored\n"
            "  public.a                                           5           5   DIFFERENT\n"
            "  public.p                                           7           -   DIFFERENT\n"
            "  2 tables                                          12           5   DIFFERENT\n");
}

TEST(RestoreRows, LongNamesAndNumbersAreShownWhole) {
  Contents contents;
  contents.tables = {{1, std::string(50, 'n') + "\n", 1'000'000'000'000'000, kHash, "", false}};
  EXPECT_NE(RowsTable(contents, contents).find("  " + std::string(50, 'n') + "  1000000000000000 1000000000000000\n"),
            std::string::npos);
}

TEST(RestoreRows, ASetWithHashesIsComparedAsItIs) {
  Contents manifest = Sample();
  manifest.tables[0].hash.clear();  // was not read: a difference
  const auto expected = Expected(manifest, Sample());
  EXPECT_EQ(expected.contents, manifest);
  EXPECT_FALSE(expected.counts_only);
  EXPECT_NE(CompareContents(expected.contents, Sample()), "ok");
}

TEST(RestoreRows, ASetWithoutHashesIsComparedByWhatItHas) {
  Contents manifest;
  manifest.tables = {
      {1, "public.a", 5}, {2, "public.p1", 3}, {3, "public.p2", 4}, {4, "ext.config", 9}, {5, "public.u", {}}};
  manifest.sequences = {{"public.s", 1, 2}, {"ext.s", 1, 1}};
  auto expected = Expected(manifest, Sample());
  EXPECT_TRUE(expected.counts_only);
  EXPECT_EQ(expected.uncounted, std::vector<std::string>{"public.u"});
  EXPECT_EQ(CompareContents(expected.contents, Sample()), "ok");
  manifest.tables[0].rows = 6;
  expected = Expected(manifest, Sample());
  EXPECT_EQ(CompareContents(expected.contents, Sample()),
            "table public.a: fewer rows restored than the 6 in the source");
  manifest.tables[0] = {9, "public.gone", 0};
  expected = Expected(manifest, Sample());
  EXPECT_EQ(CompareContents(expected.contents, Sample()), "table public.gone is missing");
}

TEST(RestoreServer, NamesAreCutBeforeAWholeCharacter) {
  EXPECT_EQ(WithSuffix("bank", "_x"), "bank_x");
  EXPECT_EQ(WithSuffix(std::string(63, 'a'), "_x"), std::string(61, 'a') + "_x");
  EXPECT_EQ(WithSuffix(std::string(60, 'a') + "\xc3\xa9", "_x"), std::string(60, 'a') + "_x");
  EXPECT_EQ(WithSuffix("\xe9" + std::string(62, '\x80'), "_x").size(), 2U) << "no character is no reason to hang";
}

TEST(CommandHost, HashesAFile) {
  const mfi::test::TempDirectory directory;
  const std::string path = directory / "file";
  mfi::test::Write(path, "abc");
  CommandHost host;
  const mfi::os::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(host.Sha256OfFile(file.get(), path), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const mfi::os::UniqueFd unreadable(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(mfi::test::ErrorOf([&] { host.Sha256OfFile(unreadable.get(), path); }).sqlstate(),
            mfi::core::sqlstate::kIoError);
}

TEST(CommandHost, ASignalEndsAWaitOnce) {
  mfi::test::Forked child([] {
    CommandHost host;
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
      raise(signal_number);
      try {
        host.Wait(-1, false, std::chrono::hours(1));
        return 1;
      } catch (const mfi::core::Stop& stop) {
        if (stop.reason() != mfi::core::Stop::Reason::kCancelled) return 2;
      }
      host.Wait(-1, false, std::chrono::milliseconds(0));
    }
    return 0;
  });
  EXPECT_EQ(child.Wait(), 0);
}

}  // namespace
