#include "os/backup/verification.h"

#include "fake_programs.h"
#include "os/restore/restore_proof.h"

namespace {

using namespace mfi::test;
using mfi::core::Error;
using mfi::core::Manifest;
using mfi::os::Verification;

constexpr mfi::core::UtcSeconds kAt = 1'770'000'000;

class VerificationTest : public FakePrograms {
 protected:
  VerificationTest() {
    PublishSample(directory_, manifest_);
    Program("pg_restore", "[ \"$*\" = \"--file=/dev/null " + archive_ + "\" ]");
  }

  Verification Verify(mfi::core::VerifyMethod how) {
    job_.verify = how;
    return VerifyPublished(job_, manifest_, host_);
  }

  /// Verifies the set again, by id.
  std::string Again() { return VerifySet(job_, manifest_.run.id, host_); }

  Manifest Stored() const { return directory_.FindSet(manifest_.run.id); }

  Manifest manifest_ = SampleManifest(kAt);
  std::string archive_ = directory_.SetPath(manifest_.run.id) + "/bank.dump";
};

TEST_F(VerificationTest, NoneVerifiesNothing) {
  mfi::os::RemoveTree(job_.binary_directory);
  const Verification done = Verify(mfi::core::VerifyMethod::kNone);
  EXPECT_EQ(mfi::core::ToString(done.method) + "|" + done.result + "|" + done.remark, "none||");
}

TEST_F(VerificationTest, ListReadsTheWholeArchive) {
  const Verification good = Verify(mfi::core::VerifyMethod::kList);
  EXPECT_EQ(mfi::core::ToString(good.method) + "|" + good.result + "|" + good.remark, "list|ok|");
  Program("pg_restore", "echo could not uncompress data >&2; exit 1");
  EXPECT_EQ(Verify(mfi::core::VerifyMethod::kList).result,
            "the archive cannot be read to its end: could not uncompress data");
}

TEST_F(VerificationTest, WithoutAScratchServerNothingIsProvenAndARemarkSaysSo) {
  Program("initdb", "echo initdb: no such locale >&2; exit 1");
  const Verification done = Verify(mfi::core::VerifyMethod::kRestore);
  EXPECT_EQ(mfi::core::ToString(done.method) + "|" + done.result, "restore|");
  EXPECT_EQ(done.remark, "the backup could not be proven: initdb of the scratch server failed: initdb: no such locale");
  EXPECT_FALSE(ScratchIsThere());
}

TEST_F(VerificationTest, WithoutRoomNothingIsProvenAndARemarkSaysSo) {
  manifest_.contents.database_bytes = std::int64_t{1} << 60;
  EXPECT_EQ(mfi::os::RoomForProof(manifest_), (std::int64_t{1} << 60) + (std::int64_t{1} << 60) / 5 + 64 * 1024 * 1024);
  const Verification done = Verify(mfi::core::VerifyMethod::kRestore);
  EXPECT_EQ(mfi::core::ToString(done.method) + "|" + done.result, "restore|");
  EXPECT_EQ(done.remark.rfind("the backup could not be proven: \"" + job_.scratch_directory + "\" has ", 0), 0U)
      << done.remark;
  EXPECT_NE(done.remark.find(" free, a restore needs 1288490189 GB"), std::string::npos) << done.remark;
}

TEST_F(VerificationTest, WithoutAScratchDirectoryTheRemarkNamesIt) {
  job_.scratch_directory = temporary_ / "no";
  EXPECT_EQ(Verify(mfi::core::VerifyMethod::kRestore).remark,
            "the backup could not be proven: could not read the free space of \"" + (temporary_ / "no") +
                "\": No such file or directory");
}

TEST_F(VerificationTest, AStopIsNotTakenForAMissingScratchServer) {
  Program("initdb", "exec tail -f /dev/null");
  host_.stop_when = [&] { return ScratchIsThere(); };
  EXPECT_EQ(ErrorOf([&] { Verify(mfi::core::VerifyMethod::kRestore); }).sqlstate(),
            mfi::core::sqlstate::kQueryCanceled);
  EXPECT_FALSE(ScratchIsThere());
}

TEST_F(VerificationTest, AScratchServerThatDoesNotStartEndsWithTheProofsTime) {
  Program("initdb", "for a; do case $a in --pgdata=*) mkdir \"${a#*=}\";; esac; done");
  Program("postgres", "exec tail -f /dev/null");
  // The shell of the script is no program of the server.
  job_.sandbox.executable = {job_.binary_directory, "/usr/bin", "/bin"};
  job_.proof_timeout = std::chrono::seconds(1);
  EXPECT_EQ(Verify(mfi::core::VerifyMethod::kRestore).remark,
            "the backup could not be proven: the verification took longer than mfi.proof_timeout (1 s)");
  EXPECT_FALSE(ScratchIsThere());
}

TEST_F(VerificationTest, AnotherVerificationIsWrittenIntoTheManifest) {
  EXPECT_EQ(Again(), "ok");
  EXPECT_EQ(Stored().run.verified_at, host_.now);
  EXPECT_EQ(Stored().run.verify_method, mfi::core::VerifyMethod::kList);
  EXPECT_EQ(TargetOf(directory_.root() + "/latest"), manifest_.run.id);
  EXPECT_EQ(host_.states, std::vector{mfi::core::RunState::kVerifying});
}

TEST_F(VerificationTest, ADamagedSetIsNoLongerVerified) {
  Again();
  Write(archive_, "Archive");
  EXPECT_EQ(Again(), "file bank.dump has changed since it was published");
  EXPECT_EQ(Stored().run.verified_at, std::nullopt);
  EXPECT_EQ(Stored().run.verify_result, "file bank.dump has changed since it was published");
  EXPECT_EQ(TargetOf(directory_.root() + "/latest"), "");
}

TEST_F(VerificationTest, ARemarkComesWithTheResult) {
  job_.verify = mfi::core::VerifyMethod::kRestore;
  Program("initdb", "exit 1");
  const std::string remark = "the backup could not be proven: initdb of the scratch server failed: ";
  EXPECT_EQ(Again(), "not verified (" + remark + ")");
  EXPECT_EQ(Stored().run.error, remark);
  EXPECT_EQ(mfi::core::ToString(Stored().run.verify_method) + "|" + Stored().run.verify_result, "restore|");
  EXPECT_EQ(Stored().run.proof_attempts, 1);
  EXPECT_EQ(Stored().run.proof_tried_at, host_.now);
  Again();
  EXPECT_EQ(Stored().run.proof_attempts, 2);
  Program("pg_restore", "exit 1");
  EXPECT_EQ(Again(), "the archive cannot be read to its end:  (" + remark + ")");
}

TEST_F(VerificationTest, AnUnknownSetOrDirectoryIsAnError) {
  EXPECT_EQ(ErrorOf([&] { VerifySet(job_, "bank_20200101T000000Z", host_); }).sqlstate(), "42704");
  job_.directory = "relative";
  EXPECT_EQ(ErrorOf([&] { Again(); }).sqlstate(), "F0000");
}

}  // namespace
