#include "os/base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "support.h"

namespace {

using namespace mfi::os;
using mfi::core::Error;
using mfi::test::ErrorOf;
using mfi::test::ModeOf;
using mfi::test::TempDirectory;
using mfi::test::Write;
using Lines = std::vector<std::string>;

/// `SQLSTATE message` of the error of `call`, with the directory's path left out.
template <typename Call>
std::string Complaint(const TempDirectory& directory, const Call& call) {
  const Error error = ErrorOf(call);
  std::string text = error.sqlstate() + " " + error.what();
  for (auto at = text.find(directory.path()); at != std::string::npos; at = text.find(directory.path())) {
    text.replace(at, directory.path().size(), "D");
  }
  return text;
}

TEST(File, AFailedCallHasItsSqlstateTextAndHint) {
  struct Case {
    int number;
    const char* sqlstate;
    bool hint;
  };
  for (const Case& c : {Case{ENOENT, "58P01", false}, Case{ENOTDIR, "58P01", false}, Case{ENOSPC, "53100", true},
                        Case{EDQUOT, "53100", true}, Case{EACCES, "42501", true}, Case{EPERM, "42501", true},
                        Case{EROFS, "42501", true}, Case{EIO, "58030", false}}) {
    const Error error = ErrorOf([&] { ThrowErrno(c.number, "do", "/a \"b\""); });
    EXPECT_EQ(error.sqlstate(), c.sqlstate) << c.number;
    EXPECT_EQ(!error.hint().empty(), c.hint) << c.number;
    EXPECT_EQ(error.detail(), "");
  }
  EXPECT_STREQ(ErrorOf([] { ThrowErrno(ENOENT, "open", "/x"); }).what(),
               "could not open \"/x\": No such file or directory");
}

TEST(File, WritesAtomicallyWithTheModeAsked) {
  const TempDirectory d;
  const mode_t before = umask(077);
  WriteFileAtomically(d / "a", "first", 0640);
  umask(before);
  EXPECT_EQ(ModeOf(d / "a"), 0640U);
  WriteFileAtomically(d / "a", std::string(300'000, 'x'), 0600);
  EXPECT_EQ(ModeOf(d / "a"), 0600U);
  EXPECT_EQ(ReadFile(d / "a"), std::string(300'000, 'x'));
  EXPECT_EQ(ListDirectory(d.path()), Lines{"a"});
}

TEST(File, WritesBesideTheWorkingDirectory) {
  const TempDirectory d;
  const int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(chdir(d.path().c_str()), 0);
  WriteFileAtomically("a", "here", 0600);
  EXPECT_EQ(fchdir(before), 0);
  close(before);
  EXPECT_EQ(ReadFile(d / "a"), "here");
}

TEST(File, WritingReplacesALinkAndNeverFollowsOne) {
  const TempDirectory d;
  Write(d / "victim", "precious");
  symlink("victim", (d / "a").c_str());
  WriteFileAtomically(d / "a", "new", 0600);
  EXPECT_EQ(mfi::test::TargetOf(d / "a"), "");
  symlink("victim", (d / "b.tmp").c_str());
  WriteFileAtomically(d / "b", "new", 0600);
  mkfifo((d / "c.tmp").c_str(), 0600);
  WriteFileAtomically(d / "c", "new", 0600);
  EXPECT_EQ(ReadFile(d / "b") + ReadFile(d / "c"), "newnew");
  EXPECT_EQ(ReadFile(d / "victim"), "precious");
}

TEST(File, AWriteThatFailsLeavesTheOldFile) {
  const TempDirectory d;
  WriteFileAtomically(d / "a", "old", 0600);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  rlimit small = limit;
  small.rlim_cur = 4096;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string complaint = Complaint(d, [&] { WriteFileAtomically(d / "a", std::string(9000, 'x'), 0600); });
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_EQ(complaint, "58030 could not write \"D/a.tmp\": File too large");
  EXPECT_EQ(ReadFile(d / "a"), "old");
  WriteFileAtomically(d / "a", "new", 0600);
  EXPECT_EQ(ListDirectory(d.path()), Lines{"a"});
}

TEST(File, WhatCannotBeDoneNamesThePath) {
  const TempDirectory d;
  Write(d / "file", "x");
  MakeDirectory(d / "dir", 0700);
  MakeDirectory(d / "full", 0700);
  Write(d / "full/x", "x");
  EXPECT_EQ(Complaint(d, [&] { WriteFileAtomically(d / "no/a", "", 0600); }),
            "58P01 could not create \"D/no/a.tmp\": No such file or directory");
  EXPECT_EQ(Complaint(d, [&] { WriteFileAtomically(d / "dir", "", 0600); }),
            "58030 could not rename \"D/dir.tmp\" to \"D/dir\": Is a directory");
  EXPECT_EQ(Complaint(d, [&] { ReadFile(d / "no"); }), "58P01 could not open \"D/no\": No such file or directory");
  EXPECT_EQ(Complaint(d, [&] { ReadFile(d / "file/x"); }), "58P01 could not open \"D/file/x\": Not a directory");
  EXPECT_EQ(Complaint(d, [&] { MakeDirectory(d / "dir", 0700); }),
            "58030 could not create the directory \"D/dir\": File exists");
  EXPECT_EQ(Complaint(d, [&] { Rename(d / "no", d / "x"); }),
            "58P01 could not rename \"D/no\" to \"D/x\": No such file or directory");
  EXPECT_EQ(Complaint(d, [&] { Rename(d / "dir", d / "full"); }),
            "58030 could not rename \"D/dir\" to \"D/full\": Directory not empty");
  EXPECT_EQ(Complaint(d, [&] { ListDirectory(d / "file"); }),
            "58P01 could not open the directory \"D/file\": Not a directory");
  EXPECT_EQ(Complaint(d, [&] { FileSize(d / "no"); }),
            "58P01 could not read the status of \"D/no\": No such file or directory");
  EXPECT_EQ(Complaint(d, [&] { FsyncFile(d / "no"); }), "58P01 could not open \"D/no\": No such file or directory");
  EXPECT_EQ(Complaint(d, [&] { FsyncDirectory(d / "file"); }),
            "58P01 could not open the directory \"D/file\": Not a directory");
  EXPECT_EQ(Complaint(d, [&] { ReplaceSymlink(d / "no/a", "x"); }),
            "58P01 could not create the link \"D/no/a.tmp\": No such file or directory");
}

TEST(File, WithoutTheRightToWriteTheHintSaysWhoNeedsIt) {
  const TempDirectory d;
  MakeDirectory(d / "closed", 0500);
  if (geteuid() == 0) {
    WriteFileAtomically(d / "closed/a", "root may", 0600);
    return;
  }
  const Error error = ErrorOf([&] { WriteFileAtomically(d / "closed/a", "", 0600); });
  EXPECT_EQ(error.sqlstate(), "42501");
  EXPECT_EQ(error.hint(), "The operating system user that runs PostgreSQL needs the right to do this.");
}

TEST(File, ReadsRegularFilesUpToALimit) {
  const TempDirectory d;
  Write(d / "a", "12345");
  mkfifo((d / "fifo").c_str(), 0600);
  EXPECT_EQ(ReadFile(d / "a", 5), "12345");
  EXPECT_EQ(Complaint(d, [&] { ReadFile(d / "a", 4); }), "58030 \"D/a\" is larger than 4 bytes");
  EXPECT_EQ(Complaint(d, [&] { ReadFile(d.path()); }), "58030 \"D\" is not a regular file");
  EXPECT_EQ(Complaint(d, [&] { ReadFile(d / "fifo"); }), "58030 \"D/fifo\" is not a regular file");
}

TEST(File, KnowsWhatIsThere) {
  const TempDirectory d;
  MakeDirectory(d / "dir", 0755);
  Write(d / "dir/a", "12345");
  symlink("dir", (d / "to-dir").c_str());
  symlink("nowhere", (d / "broken").c_str());
  EXPECT_TRUE(IsDirectory(d / "dir") && IsDirectory(d / "to-dir") && Exists(d / "broken"));
  EXPECT_FALSE(IsDirectory(d / "dir/a") || IsDirectory(d / "broken") || Exists(d / "no"));
  EXPECT_EQ(FileSize(d / "dir/a"), 5);
  EXPECT_EQ(ListDirectory(d.path()), (Lines{"broken", "dir", "to-dir"}));
}

TEST(File, ATreesSizeIsThatOfItsFiles) {
  const TempDirectory d;
  MakeDirectory(d / "t", 0700);
  MakeDirectory(d / "t/sub", 0700);
  Write(d / "t/a", "12345");
  Write(d / "t/sub/b", "123");
  Write(d / "big", std::string(1000, 'x'));
  symlink("../big", (d / "t/link").c_str());
  EXPECT_EQ(TreeSize(d / "t"), 8);
  EXPECT_EQ(TreeSize(d / "t/a"), 5);
  EXPECT_EQ(TreeSize(d / "t/link"), 0);
  EXPECT_EQ(TreeSize(d / "no"), 0);
}

TEST(File, FreeSpaceIsThatOfAnExistingPath) {
  const TempDirectory d;
  EXPECT_GT(FreeSpace(d.path()), 0);
  EXPECT_EQ(Complaint(d, [&] { FreeSpace(d / "no"); }),
            "58P01 could not read the free space of \"D/no\": No such file or directory");
}

TEST(File, ALinkIsReplacedByOneRename) {
  const TempDirectory d;
  ReplaceSymlink(d / "latest", "one");
  EXPECT_EQ(mfi::test::TargetOf(d / "latest"), "one");
  Write(d / "latest.tmp", "left by a crash");
  ReplaceSymlink(d / "latest", "two");
  EXPECT_EQ(mfi::test::TargetOf(d / "latest"), "two");
  MakeDirectory(d / "latest.tmp", 0700);
  EXPECT_EQ(Complaint(d, [&] { ReplaceSymlink(d / "latest", "three"); }),
            "58030 could not remove \"D/latest.tmp\": Is a directory");
  EXPECT_EQ(mfi::test::TargetOf(d / "latest"), "two");
}

TEST(File, ATreeIsRemovedButNotWhatItsLinksPointAt) {
  const TempDirectory d;
  MakeDirectory(d / "t", 0700);
  MakeDirectory(d / "t/sub", 0700);
  MakeDirectory(d / "outside", 0700);
  Write(d / "t/sub/a", "");
  Write(d / "outside/keep", "");
  symlink("../../outside", (d / "t/sub/link").c_str());
  symlink("outside", (d / "link").c_str());
  mkfifo((d / "t/fifo").c_str(), 0600);
  RemoveTree(d / "t");
  RemoveTree(d / "link");
  RemoveTree(d / "no");
  EXPECT_EQ(ListDirectory(d.path()), Lines{"outside"});
  EXPECT_TRUE(Exists(d / "outside/keep"));
}

TEST(File, WhatCannotBeRemovedIsNamed) {
  const std::string at = "/proc/self/environ";
  const Error error = ErrorOf([&] { RemoveTree(at); });
  EXPECT_EQ(error.sqlstate(), "42501");
  EXPECT_EQ(std::string(error.what()).rfind("could not remove \"" + at + "\": ", 0), 0U) << error.what();
}

TEST(File, ModesOfATreeButNotOfWhatItsLinksPointAt) {
  const TempDirectory d;
  MakeDirectory(d / "t", 0700);
  MakeDirectory(d / "t/sub", 0711);
  Write(d / "t/sub/a", "");
  WriteFileAtomically(d / "other", "", 0604);
  symlink("../other", (d / "t/link").c_str());
  ChangeModes(d / "t", 0640, 0750);
  EXPECT_EQ(ModeOf(d / "t"), 0750U);
  EXPECT_EQ(ModeOf(d / "t/sub"), 0750U);
  EXPECT_EQ(ModeOf(d / "t/sub/a"), 0640U);
  EXPECT_EQ(ModeOf(d / "other"), 0604U);
}

TEST(File, ATreeWithAnythingInItCanBeMadeDurable) {
  const TempDirectory d;
  MakeDirectory(d / "t", 0700);
  Write(d / "t/a", "x");
  symlink("nowhere", (d / "t/link").c_str());
  mkfifo((d / "t/fifo").c_str(), 0600);
  BeginWriteback(d / "t");
  BeginWriteback(d / "no");
  FsyncTree(d / "t");
  EXPECT_EQ(Complaint(d, [&] { FsyncFile(d / "t/link"); }), "58030 \"D/t/link\" is not a regular file");
}

TEST(File, ADescriptorHasOneOwner) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  UniqueFd first(pipe_ends[0]);
  UniqueFd second(pipe_ends[1]);
  first = std::move(second);
  EXPECT_EQ(first.get(), pipe_ends[1]);
  EXPECT_FALSE(second.valid());
  EXPECT_EQ(fcntl(pipe_ends[0], F_GETFD), -1);
  UniqueFd& same = first;
  first = std::move(same);
  EXPECT_EQ(first.get(), pipe_ends[1]);
  EXPECT_EQ(first.Release(), pipe_ends[1]);
  EXPECT_FALSE(first.valid());
  close(pipe_ends[1]);
}

TEST(FileLock, IsHeldByOneProcessUntilItDies) {
  const TempDirectory d;
  mfi::test::Forked other([&] {
    const FileLock lock(d / "lock");
    Write(d / (lock.held() ? "held" : "refused"), "");
    pause();
    return 0;
  });
  ASSERT_TRUE(mfi::test::Eventually([&] { return Exists(d / "held"); }));
  EXPECT_FALSE(FileLock(d / "lock").held());
  other.Kill();
  other.Wait();
  const FileLock lock(d / "lock");
  EXPECT_TRUE(lock.held());
  EXPECT_FALSE(FileLock(d / "lock").held());
  EXPECT_EQ(ModeOf(d / "lock"), 0600U);
}

TEST(FileLock, RefusesALinkAndAMissingDirectory) {
  const TempDirectory d;
  Write(d / "victim", "");
  symlink("victim", (d / "lock").c_str());
  EXPECT_EQ(Complaint(d, [&] { FileLock{d / "lock"}; }),
            "58030 could not open \"D/lock\": Too many levels of symbolic links");
  mkfifo((d / "fifo").c_str(), 0600);
  EXPECT_EQ(Complaint(d, [&] { FileLock{d / "fifo"}; }), "58030 \"D/fifo\" is not a regular file");
  EXPECT_EQ(Complaint(d, [&] { FileLock{d / "no/lock"}; }),
            "58P01 could not open \"D/no/lock\": No such file or directory");
}

}  // namespace
