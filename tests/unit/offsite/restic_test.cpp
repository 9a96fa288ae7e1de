#include "os/offsite/restic.h"

#include <cstdlib>

#include "os/base/find_program.h"
#include "os/offsite/copies.h"
#include "os/offsite/repository_care.h"
#include "restic_support.h"

namespace {

using namespace mfi;
using namespace mfi::test;
using core::Error;
using core::ResticFault;

class ResticTest : public ResticFixture {
 protected:
  ResticFault FaultOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const os::ResticFailure& failure) {
      said_ = failure.what();
      return failure.fault();
    }
    ADD_FAILURE() << "nothing failed";
    return ResticFault::kOther;
  }

  std::string said_;
};

TEST_F(ResticTest, ASetComesBackAsItWas) {
  Init();
  const core::Manifest set = SampleManifest(host_.now);
  PublishSample(directory_, set);
  const os::Restic restic(job_, host_);
  const core::CopySummary copy = os::CopySet(restic, Backups(), set);
  const std::vector<core::Snapshot> snapshots = restic.Snapshots(os::kSetTag);
  ASSERT_EQ(snapshots.size(), 1U);
  EXPECT_EQ(snapshots[0].id, copy.snapshot);
  EXPECT_EQ(snapshots[0].name, set.run.id);
  EXPECT_EQ(snapshots[0].host, kNode);
  EXPECT_EQ(snapshots[0].at, *set.run.finished_at);
  os::FetchCopy(restic, copy.snapshot, temporary_ / "fetched");
  for (const std::string& name : os::ListDirectory(directory_.SetPath(set.run.id))) {
    EXPECT_EQ(os::ReadFile(temporary_ / ("fetched/" + set.run.id + "/" + name)),
              os::ReadFile(directory_.SetPath(set.run.id) + "/" + name));
  }
}

TEST_F(ResticTest, AnotherClustersCopiesAreNotOurs) {
  Init();
  const core::Manifest set = SampleManifest(host_.now);
  PublishSample(directory_, set);
  os::CopySet(os::Restic(job_, host_), Backups(), set);
  job_.system_identifier = "7400000000000000002";
  EXPECT_TRUE(os::Restic(job_, host_).Snapshots(os::kSetTag).empty());
}

TEST_F(ResticTest, EachFailureIsKnown) {
  EXPECT_EQ(FaultOf([&] { os::Restic(job_, host_).Contact(); }), ResticFault::kNoRepository) << said_;
  Init();
  Write(job_.password_file, "another\n");
  EXPECT_EQ(FaultOf([&] { os::Restic(job_, host_).Contact(); }), ResticFault::kPassword) << said_;
  Write(job_.password_file, "secret\n");
  job_.repository = "rest:http://127.0.0.1:1/";
  job_.contact_limit = std::chrono::seconds{1};
  EXPECT_EQ(FaultOf([&] { os::Restic(job_, host_).Contact(); }), ResticFault::kOther);
  EXPECT_NE(said_.find("connection refused"), std::string::npos) << said_;
}

TEST_F(ResticTest, OneThatHangsAfterItsLastWordsIsEnded) {
  os::MakeDirectory(temporary_ / "bin", 0700);
  WriteScript(temporary_ / "bin/restic",
              "echo 'Save(<data/32ab4722c4>) failed: write /r: no space left on device' >&2\n"
              "exec sleep 3600");
  const std::string path = std::getenv("PATH");
  setenv("PATH", ((temporary_ / "bin") + ":" + path).c_str(), 1);
  job_.last_words = std::chrono::seconds{1};
  const os::Restic restic(job_, host_);
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(FaultOf([&] { restic.Run({"backup"}); }), ResticFault::kOther);
  EXPECT_NE(said_.find("no space left on device"), std::string::npos) << said_;
}

TEST_F(ResticTest, SecretsThatOthersCanReadAreRefused) {
  Init();
  chmod(job_.password_file.c_str(), 0644);
  const Error open = ErrorOf([&] { os::Restic(job_, host_); });
  EXPECT_EQ(open.sqlstate(), core::sqlstate::kInsufficientPrivilege);
  EXPECT_NE(open.hint().find("chmod 600"), std::string::npos);
  chmod(job_.password_file.c_str(), 0600);
  job_.environment_file = temporary_ / "environment";
  EXPECT_EQ(ErrorOf([&] { os::Restic(job_, host_); }).sqlstate(), core::sqlstate::kUndefinedFile);
  Write(job_.environment_file, "A=b\n");
  chmod(job_.environment_file.c_str(), 0660);
  EXPECT_EQ(ErrorOf([&] { os::Restic(job_, host_); }).sqlstate(), core::sqlstate::kInsufficientPrivilege);
  chmod(job_.environment_file.c_str(), 0600);
  EXPECT_TRUE(os::Restic(job_, host_).Snapshots(os::kSetTag).empty());
}

TEST_F(ResticTest, WhoCanDeleteIsFoundOut) {
  Init();
  core::OffsiteState state;
  os::ProbeDeletion(os::Restic(job_, host_), state);
  EXPECT_EQ(state.deletable, true);
  EXPECT_TRUE(state.probe.empty());
  EXPECT_TRUE(os::Restic(job_, host_).Snapshots(os::kProbeTag).empty());
}

/// The part of a check that reads it.
int PartOf(const std::string& pack) { return std::stoi(pack.substr(0, 2), nullptr, 16) % core::kCheckParts + 1; }

TEST_F(ResticTest, AFlippedByteIsFoundInItsPart) {
  Init();
  const core::Manifest set = SampleManifest(host_.now);
  PublishSample(directory_, set);
  const os::Restic restic(job_, host_);
  os::CopySet(restic, Backups(), set);
  std::string flipped;
  for (const std::string& prefix : os::ListDirectory(job_.repository + "/data")) {
    for (const std::string& name : os::ListDirectory(job_.repository + "/data/" + prefix)) {
      const std::string path = job_.repository + "/data/" + prefix + "/" + name;
      std::string pack = os::ReadFile(path);
      pack[pack.size() / 2] = static_cast<char>(pack[pack.size() / 2] ^ 1);
      if (flipped.empty()) {
        EXPECT_EQ(os::CheckPart(restic, PartOf(name)), "");
        chmod(path.c_str(), 0600);
        Write(path, pack);
        flipped = name;
      }
    }
  }
  const std::string damage = os::CheckPart(restic, PartOf(flipped));
  EXPECT_NE(damage, "");
}

TEST_F(ResticTest, RetentionKeepsTheNewestOfEachDay) {
  Init();
  const os::Restic restic(job_, host_);
  for (int i = 0; i < 6; ++i) {
    const core::Manifest set = SampleManifest(host_.now + i * core::kDay / 2);
    PublishSample(directory_, set);
    os::CopySet(restic, Backups(), set);
  }
  const os::Forgotten forgotten = os::Forget(restic, core::ParseKeepRule("2d"));
  EXPECT_EQ(forgotten.refused, "");
  EXPECT_EQ(forgotten.snapshots.size(), 4U);
  EXPECT_EQ(restic.Snapshots(os::kSetTag).size(), 2U);
}

TEST_F(ResticTest, ALockOfADeadRunOfOursIsLetGo) {
  Init();
  const os::Restic restic(job_, host_);
  const std::string locks = job_.repository + "/locks";
  Write(temporary_ / "large", Noise(std::size_t{4} * 1024 * 1024));
  {
    const std::vector<std::string> arguments = {"backup", "--limit-upload=1", "--no-cache", temporary_ / "large"};
    os::Child child(
        {.program = os::FindProgram("restic"),
         .arguments = arguments,
         .environment = {"RESTIC_REPOSITORY=" + job_.repository, "RESTIC_PASSWORD_FILE=" + job_.password_file},
         .end_signal = SIGKILL});
    ASSERT_TRUE(Eventually([&] { return !os::ListDirectory(locks).empty(); }));
    os::ReleaseOwnLocks(restic);
    EXPECT_FALSE(os::ListDirectory(locks).empty()) << "it is alive";
    EXPECT_EQ(FaultOf([&] { os::TakeUpInterrupted(restic); }), ResticFault::kLocked);
    EXPECT_NE(said_.find("already locked by PID"), std::string::npos) << said_;
  }
  EXPECT_FALSE(os::ListDirectory(locks).empty());
  os::ReleaseOwnLocks(restic);
  EXPECT_TRUE(os::ListDirectory(locks).empty());
}

}  // namespace
