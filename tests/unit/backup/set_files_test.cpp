#include "os/backup/set_files.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "fake_programs.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;

class SetFilesTest : public FakePrograms {
 protected:
  SetFilesTest() {
    manifest_ = SampleManifest(host_.now);
    PublishSample(directory_, manifest_);
  }

  std::string At(const std::string& name) const { return directory_.SetPath(manifest_.run.id) + "/" + name; }
  std::string Set() const { return directory_.SetPath(manifest_.run.id); }
  std::string Differences() { return SetFiles(Set()).Differences(manifest_, host_); }
  std::string Again() { return VerifySet(job_, manifest_.run.id, host_); }

  /// Runs a verification during which `meddle` is done when the archive is read.
  std::string VerifyWhile(const std::string& meddle) {
    Program("pg_restore", meddle);
    try {
      return Again();
    } catch (const mfi::core::Error& error) {
      return error.what();
    }
  }

  mfi::core::Manifest manifest_;
};

TEST_F(SetFilesTest, WhatHasChangedIsNamed) {
  EXPECT_EQ(Differences(), "");
  Write(At("bank.dump"), "Archive");
  EXPECT_EQ(Differences(), "file bank.dump has changed since it was published");
  Write(At("bank.dump"), "archives");
  EXPECT_EQ(Differences(), "file bank.dump has changed since it was published");
  RemoveTree(At("bank.dump"));
  EXPECT_EQ(Differences(), "file bank.dump is missing");
}

TEST_F(SetFilesTest, WhatWasNotPublishedIsNamed) {
  Write(At("manifest.json.tmp"), "left by a crash");
  EXPECT_EQ(Differences(), "");
  Write(At("toc.dat"), "");
  EXPECT_EQ(Differences(), "file toc.dat was not in the set when it was published");
  RemoveTree(At("toc.dat"));
  MakeDirectory(At("sub"), 0700);
  Write(At("sub/x"), "");
  EXPECT_EQ(Differences(), "file sub/x was not in the set when it was published");
}

TEST_F(SetFilesTest, NamesAreToldInPlainWords) {
  const std::string name = "a\xff\xfe\x1b[2J\nLOG:  all is well";
  Write(At(name), "");
  EXPECT_EQ(Differences(),
            "file a??"
            "?[2J LOG: all is well was not in the set when it was published");
  EXPECT_EQ(Again(), Differences());
  RemoveTree(At(name));
  mkfifo(At(name).c_str(), 0600);
  EXPECT_EQ(Again(),
            "file a??"
            "?[2J LOG: all is well is not a regular file");
}

TEST_F(SetFilesTest, WhatACrashLeftOfTheManifestIsRemovedFirst) {
  Write(At("manifest.json.tmp"), "left by a crash");
  EXPECT_EQ(Again(), "ok");
  EXPECT_FALSE(Exists(At("manifest.json.tmp")));
}

TEST_F(SetFilesTest, NothingButARegularFileIsEverOpened) {
  const std::string told = "file bank.dump is not a regular file";
  const auto replaced = [&](const std::function<void(const std::string&)>& make) {
    RemoveTree(At("bank.dump"));
    make(At("bank.dump"));
    const std::string found = Differences();
    EXPECT_EQ(Again(), found);
    return found;
  };
  EXPECT_EQ(replaced([](const std::string& at) { mkfifo(at.c_str(), 0600); }), told);
  EXPECT_EQ(replaced([&](const std::string& at) {
              Write(temporary_ / "elsewhere", "archive");
              symlink((temporary_ / "elsewhere").c_str(), at.c_str());
            }),
            told);
  EXPECT_EQ(replaced([](const std::string& at) { symlink("/dev/zero", at.c_str()); }), told);
  EXPECT_EQ(replaced([&](const std::string&) {
              const int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
              const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
              sockaddr_un address{.sun_family = AF_UNIX};
              std::strcpy(address.sun_path, "bank.dump");
              EXPECT_EQ(chdir(Set().c_str()), 0);
              EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
              EXPECT_EQ(fchdir(before), 0);
              close(fd);
              close(before);
            }),
            told);
  EXPECT_EQ(replaced([](const std::string& at) { MakeDirectory(at, 0700); }), "file bank.dump is missing");
  if (geteuid() == 0) {
    EXPECT_EQ(replaced([](const std::string& at) { mknod(at.c_str(), S_IFCHR | 0600, makedev(1, 5)); }), told);
  }
}

TEST_F(SetFilesTest, AFifoThatWasNotPublishedKeepsThePrograms) {
  Program("pg_restore", "touch '" + (temporary_ / "ran") + "'");
  mkfifo(At("toc.dat").c_str(), 0600);
  EXPECT_EQ(Again(), "file toc.dat is not a regular file");
  EXPECT_FALSE(Exists(temporary_ / "ran"));
}

TEST_F(SetFilesTest, ASetThatIsALinkIsNone) {
  Rename(Set(), temporary_ / "away");
  symlink((temporary_ / "away").c_str(), Set().c_str());
  EXPECT_TRUE(directory_.Sets().empty());
  EXPECT_EQ(ErrorOf([&] { directory_.FindSet(manifest_.run.id); }).sqlstate(), "42704");
  EXPECT_EQ(ErrorOf([&] { Again(); }).sqlstate(), "42704");
}

TEST_F(SetFilesTest, AManifestThatIsNoOrdinaryFileMakesNoSet) {
  const std::string text = ReadFile(At("manifest.json"));
  for (const char* kind : {"link", "fifo", "sparse", "deep"}) {
    RemoveTree(At("manifest.json"));
    if (std::string(kind) == "link") {
      Write(temporary_ / "manifest.json", text);
      symlink((temporary_ / "manifest.json").c_str(), At("manifest.json").c_str());
    } else if (std::string(kind) == "fifo") {
      mkfifo(At("manifest.json").c_str(), 0600);
    } else {
      Write(At("manifest.json"), std::string(kind) == "deep" ? std::string(40'000'000, '[') : text);
      if (std::string(kind) == "sparse") {
        ASSERT_EQ(truncate(At("manifest.json").c_str(), 60'000'000), 0);
      }
    }
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(directory_.Sets().empty()) << kind;
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5)) << kind;
  }
}

TEST_F(SetFilesTest, WhatIsTouchedWhileItIsVerifiedIsNotCalledProven) {
  const std::string id = manifest_.run.id;
  const std::string told = " was touched while the set was verified, so nothing is proven";
  EXPECT_EQ(VerifyWhile(""), "ok");
  EXPECT_EQ(VerifyWhile("touch '" + At("bank.dump") + "'"), "file bank.dump" + told);
  EXPECT_EQ(
      VerifyWhile("cp -p '" + At("bank.dump") + "' '" + At("x") + "'; mv '" + At("x") + "' '" + At("bank.dump") + "'"),
      "file bank.dump" + told);
  EXPECT_EQ(VerifyWhile("mv '" + Set() + "' '" + Set() + ".away'; cp -rp '" + Set() + ".away' '" + Set() + "'"),
            "file bank.dump" + told);
  RemoveTree(Set() + ".away");
  EXPECT_EQ(VerifyWhile("mv '" + Set() + "' '" + Set() + ".away'; mkdir '" + Set() + "'; rmdir '" + Set() + "'; mv '" +
                        Set() + ".away' '" + Set() + "'"),
            "its directory" + told);
  EXPECT_EQ(VerifyWhile("touch '" + At("more") + "'"), "file more" + told);
  RemoveTree(At("more"));
  // Holding it meanwhile is no meddling.
  EXPECT_EQ(
      VerifyWhile("cd '" + Set() + "' && cp manifest.json manifest.json.tmp && mv manifest.json.tmp manifest.json"),
      "ok");
}

TEST_F(SetFilesTest, OfWhatIsNoFileNothingIsDescribed) {
  MakeDirectory(temporary_ / "partial", 0700);
  Write(temporary_ / "partial/a", "archive");
  MakeDirectory(temporary_ / "partial/sub", 0700);
  Write(temporary_ / "partial/sub/b", "x");
  const auto files = DescribeFiles(temporary_ / "partial", host_);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name + " " + files[1].name, "a sub/b");
  EXPECT_EQ(files[0].sha256, DigestOf("archive"));
  EXPECT_EQ(files[0].bytes, 7);
  mkfifo((temporary_ / "partial/sub/fifo").c_str(), 0600);
  EXPECT_NE(
      std::string(ErrorOf([&] { DescribeFiles(temporary_ / "partial", host_); }).what()).find("not a regular file"),
      std::string::npos);
}

}  // namespace
