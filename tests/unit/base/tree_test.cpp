#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "os/base/directory.h"
#include "os/base/file.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;

/// Directories in one another, `depth` of them, below `top`, which is made. Nobody can name the deepest by one path.
void MakeDeep(const std::string& top, int depth) {
  MakeDirectory(top, 0700);
  UniqueFd at(open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 1; i < depth; ++i) {
    ASSERT_EQ(mkdirat(at.get(), "d", 0700), 0);
    at = UniqueFd(openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at.valid());
  }
  close(openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

std::string Complaint(const std::function<void()>& call) {
  try {
    call();
  } catch (const mfi::core::Error& error) {
    return error.what();
  }
  return {};
}

/// Swaps `name` in `directory` between a directory and a link to a directory outside, as fast as it can.
class Swapper {
 public:
  Swapper(const std::string& directory, const std::string& outside) : at_(directory) {
    symlink(outside.c_str(), (at_ + "/link").c_str());
    if (!Exists(at_ + "/sub")) MakeDirectory(at_ + "/sub", 0700);
    thread_ = std::thread([this] {
      while (!stop_) {
        const std::string a = at_ + "/link";
        const std::string b = at_ + "/sub";
        if (syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), 2U /* RENAME_EXCHANGE */) == 0) ++swaps_;
      }
    });
  }
  ~Swapper() { Stop(); }

  int Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return swaps_;
  }

 private:
  std::string at_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> swaps_ = 0;
  std::thread thread_;
};

class Tree : public testing::Test {
 protected:
  Tree() {
    MakeDirectory(d_ / "outside", 0711);
    MakeDirectory(d_ / "outside/sub", 0711);
    for (const char* name : {"outside/keep", "outside/sub/keep"}) {
      Write(d_ / name, std::string(1000, 'x'));
      chmod((d_ / name).c_str(), 0604);
    }
  }

  void OutsideIsUntouched() const {
    EXPECT_EQ(ListDirectory(d_ / "outside"), (std::vector<std::string>{"keep", "sub"}));
    EXPECT_EQ(ListDirectory(d_ / "outside/sub"), std::vector<std::string>{"keep"});
    EXPECT_EQ(ModeOf(d_ / "outside"), 0711U);
    EXPECT_EQ(ModeOf(d_ / "outside/sub"), 0711U);
    EXPECT_EQ(ModeOf(d_ / "outside/keep"), 0604U);
    EXPECT_EQ(ModeOf(d_ / "outside/sub/keep"), 0604U);
  }

  TempDirectory d_;
};

TEST_F(Tree, ALinkSwappedInWhileATreeIsWorkedOnLeadsNowhere) {
  MakeDirectory(d_ / "t", 0700);
  Swapper swapper(d_ / "t", d_ / "outside");
  for (int i = 0; i < 3000; ++i) {
    // Each may find an entry gone or replaced; none may go through it.
    Complaint([&] { ChangeModes(d_ / "t", 0600, 0700); });
    Complaint([&] { FsyncTree(d_ / "t"); });
    Complaint([&] { BeginWriteback(d_ / "t"); });
    Complaint([&] { EXPECT_EQ(TreeSize(d_ / "t"), 0); });
    Complaint([&] {
      for (const TreeEntry& entry : ListTree(Directory::Open(d_ / "t"))) EXPECT_TRUE(S_ISLNK(entry.status.st_mode));
    });
  }
  EXPECT_GT(swapper.Stop(), 100);
  OutsideIsUntouched();
}

TEST_F(Tree, ALinkSwappedInWhileATreeIsRemovedLeadsNowhere) {
  int swaps = 0;
  for (int i = 0; i < 400; ++i) {
    MakeDirectory(d_ / "t", 0700);
    MakeDirectory(d_ / "t/sub", 0700);
    for (int j = 0; j < 5; ++j) Write(d_ / "t/sub/f" + std::to_string(j), "");
    Swapper swapper(d_ / "t", d_ / "outside");
    Complaint([&] { RemoveTree(d_ / "t"); });
    swaps += swapper.Stop();
    RemoveTree(d_ / "t");
  }
  EXPECT_GT(swaps, 100);
  OutsideIsUntouched();
}

TEST_F(Tree, ItsOwnTopIsNotFollowedWhenItIsALink) {
  symlink("outside", (d_ / "link").c_str());
  ChangeModes(d_ / "link", 0600, 0700);
  FsyncTree(d_ / "link");
  EXPECT_EQ(TreeSize(d_ / "link"), 0);
  RemoveTree(d_ / "link");
  OutsideIsUntouched();
}

TEST_F(Tree, OfFiveThousandLevelsIsRemovedWithFewDescriptors) {
  MakeDeep(d_ / "t", 5000);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  rlimit few = limit;
  few.rlim_cur = 64;
  setrlimit(RLIMIT_NOFILE, &few);
  const std::string complaint = Complaint([&] { RemoveTree(d_ / "t"); });
  setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(complaint, "");
  EXPECT_FALSE(Exists(d_ / "t"));
}

TEST_F(Tree, OfTooManyLevelsIsAnErrorToWhatOnlyReads) {
  MakeDeep(d_ / "t", 200);
  const std::string told = "is nested deeper than 64 directories";
  EXPECT_NE(Complaint([&] { TreeSize(d_ / "t"); }).find(told), std::string::npos);
  EXPECT_NE(Complaint([&] { ChangeModes(d_ / "t", 0600, 0700); }).find(told), std::string::npos);
  EXPECT_NE(Complaint([&] { FsyncTree(d_ / "t"); }).find(told), std::string::npos);
  EXPECT_NE(Complaint([&] { ListTree(Directory::Open(d_ / "t")); }).find(told), std::string::npos);
}

TEST_F(Tree, RemovalTakesWideTreesAndNamesOfItsOwnKind) {
  MakeDirectory(d_ / "t", 0700);
  for (const char* name : {"t/a", "t/a/b", "t/a/b/c", "t/.removed-1", "t/.removed-1/x", "t/z", "t/z/b"}) {
    MakeDirectory(d_ / name, 0700);
  }
  for (const char* name : {"t/.removed-2", "t/a/b/c/f", "t/a/b/f", "t/.removed-1/x/f", "t/z/b/f"}) Write(d_ / name, "");
  RemoveTree(d_ / "t");
  EXPECT_FALSE(Exists(d_ / "t"));
}

TEST_F(Tree, NoModeOfADirectoryOfOurOwnKeepsItFromBeingRemoved) {
  // Modes mean nothing to root: somebody else must do it.
  constexpr uid_t kNobody = 65534;
  const auto modes = {0U, 0100U, 0200U, 0300U, 0400U, 0500U, 0600U};
  MakeDirectory(d_ / "home", 0700);
  ASSERT_EQ(chmod(d_.path().c_str(), 0711), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(chown((d_ / "home").c_str(), kNobody, kNobody), 0);
  }
  Forked owner([&] {
    if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) return 2;
    for (const unsigned outer : modes) {
      for (const unsigned inner : modes) {
        const std::string top = d_ / "home/t";
        for (const char* name : {"", "/a", "/a/b", "/a/b/c", "/a/empty", "/z"}) MakeDirectory(top + name, 0700);
        for (const char* name : {"/f", "/a/f", "/a/b/f", "/a/b/c/f", "/z/f"}) Write(top + name, "");
        for (const char* name : {"/a/b/c", "/a/b", "/a/empty", "/z"}) chmod((top + name).c_str(), inner);
        for (const char* name : {"/a", ""}) chmod((top + name).c_str(), outer);
        if (!Complaint([&] { RemoveTree(top); }).empty() || Exists(top)) return 1;
      }
    }
    // One of others stays as it is.
    return Complaint([&] { RemoveTree(d_ / "outside"); }).empty() && geteuid() == kNobody ? 3 : 0;
  });
  EXPECT_EQ(owner.Wait(), 0);
  if (geteuid() == 0) OutsideIsUntouched();
}

TEST_F(Tree, TheModeOfAFileWithASecondNameIsNotChanged) {
  MakeDirectory(d_ / "t", 0700);
  ASSERT_EQ(link((d_ / "outside/keep").c_str(), (d_ / "t/a").c_str()), 0);
  EXPECT_NE(Complaint([&] { ChangeModes(d_ / "t", 0600, 0700); }).find("has a second name elsewhere"),
            std::string::npos);
  OutsideIsUntouched();
}

TEST_F(Tree, ADirectoryIsReachedByItsDescriptorWhateverBecomesOfItsName) {
  MakeDirectory(d_ / "t", 0700);
  MakeDirectory(d_ / "t/sub", 0700);
  Write(d_ / "t/sub/a", "held");
  const Directory held = Directory::Open(d_ / "t");
  Rename(d_ / "t", d_ / "away");
  symlink("outside", (d_ / "t").c_str());
  EXPECT_EQ(held.Read("sub/a", 10), "held");
  held.WriteAtomically("b", "written", 0640);
  EXPECT_EQ(ReadFile(d_ / "away/b"), "written");
  EXPECT_EQ(ModeOf(d_ / "away/b"), 0640U);
  EXPECT_NE(Complaint([&] { Directory::Open(d_ / "t"); }), "");
  EXPECT_EQ(Directory::OpenConfigured(d_ / "t").Names(), (std::vector<std::string>{"keep", "sub"}));
  OutsideIsUntouched();
}

TEST_F(Tree, NoNameLeadsOutOfADirectoryNorToWhatIsNoFile) {
  MakeDirectory(d_ / "t", 0700);
  MakeDirectory(d_ / "t/sub", 0700);
  symlink("../outside", (d_ / "t/link").c_str());
  symlink("../outside/keep", (d_ / "t/file").c_str());
  mkfifo((d_ / "t/fifo").c_str(), 0600);
  const Directory t = Directory::Open(d_ / "t");
  for (const char* name : {"..", ".", "", "../outside", "sub/..", "sub//x", "sub/", "/", "link", "link/sub"}) {
    EXPECT_NE(Complaint([&] { t.Below(name); }), "") << name;
  }
  for (const char* name : {"../outside/keep", "link/keep", "file", "fifo", "sub", "no", "sub/../file"}) {
    EXPECT_NE(Complaint([&] { t.OpenFile(name); }), "") << name;
  }
  EXPECT_EQ(Complaint([&] { t.OpenFile("fifo"); }), "\"" + d_.path() + "/t/fifo\" is not a regular file");
  EXPECT_EQ(Complaint([&] { OpenRegular(AT_FDCWD, "/dev/zero", "/dev/zero"); }), "\"/dev/zero\" is not a regular file");
  EXPECT_FALSE(t.Status("no").has_value());
  EXPECT_TRUE(S_ISLNK(t.Status("link")->st_mode));
}

TEST_F(Tree, AFileThatIsTooLargeIsRefusedBeforeItIsRead) {
  Write(d_ / "sparse", "");
  ASSERT_EQ(truncate((d_ / "sparse").c_str(), off_t{1} << 40), 0);
  EXPECT_EQ(Complaint([&] { ReadFile(d_ / "sparse", 100); }), "\"" + d_.path() + "/sparse\" is larger than 100 bytes");
}

}  // namespace
