#include "os/recovery/backup_reference.h"

#include "core/recovery/drill_record.h"
#include "os/backup/backup_directory.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;
using mfi::core::Manifest;

constexpr mfi::core::UtcSeconds kAt = 1'780'000'000;

RecoveryJob JobOf(const TempDirectory& temporary) {
  RecoveryJob job;
  job.database = "bank";
  job.backup_directory = temporary / "backups";
  return job;
}

class BackupReferenceTest : public testing::Test {
 protected:
  BackupReferenceTest() {
    MakeDirectory(job_.backup_directory, 0700);
    directory_.Prepare();
  }

  Manifest Proven(mfi::core::UtcSeconds queued_at, const std::string& lsn) const {
    Manifest manifest = SampleManifest(queued_at);
    manifest.run.verify_method = mfi::core::VerifyMethod::kRestore;
    manifest.run.snapshot = "740:745:742";
    manifest.run.snapshot_lsn = lsn;
    manifest.run.timeline = 3;
    return manifest;
  }

  void Publish(const Manifest& manifest) const { PublishSample(directory_, manifest); }

  std::string Newest() const {
    const std::optional<BackupReference> found = NewestProvenBackup(job_, kSystem);
    return found ? found->id : "none";
  }

  TempDirectory temporary_;
  RecoveryJob job_ = JobOf(temporary_);
  BackupDirectory directory_{job_.backup_directory, kNode};
};

TEST_F(BackupReferenceTest, IsTheNewestByItsPositionWithAllThatIsCompared) {
  Publish(Proven(kAt + 100, "0/5000000"));
  Manifest manifest = Proven(kAt, "1/10000");
  manifest.contents.tables = {{16384, "public.t", 3, "00", {}, false}};
  Publish(manifest);
  const std::optional<BackupReference> found = NewestProvenBackup(job_, kSystem);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, manifest.run.id);
  EXPECT_EQ(found->reference.lsn, 0x100010000U);
  EXPECT_EQ(found->reference.snapshot, "740:745:742");
  EXPECT_EQ(found->reference.words, "backup " + manifest.run.id);
  EXPECT_EQ(found->reference.contents.tables, manifest.contents.tables);
  EXPECT_EQ(found->timeline, 3U);
}

TEST_F(BackupReferenceTest, IsNoneThatProvesNothingHere) {
  EXPECT_EQ(Newest(), "none");
  int at = 0;
  const auto with = [&](const std::function<void(Manifest&)>& change) {
    Manifest manifest = Proven(kAt + ++at, "0/5000000");
    change(manifest);
    Publish(manifest);
  };
  with([](Manifest& m) { m.run.verify_method = mfi::core::VerifyMethod::kList; });
  with([](Manifest& m) { m.run.verify_method = std::nullopt; });
  with([](Manifest& m) { m.run.verify_result = "table public.t is missing"; });
  with([](Manifest& m) { m.run.state = mfi::core::RunState::kFailed; });
  with([](Manifest& m) { m.run.snapshot.clear(); });
  with([](Manifest& m) { m.run.snapshot_lsn = "nowhere"; });
  with([](Manifest& m) { m.run.system_identifier = "7400000000000000002"; });
  with([](Manifest& m) { m.run.database = "other"; });
  EXPECT_EQ(Newest(), "none");
  job_.backup_directory.clear();
  EXPECT_EQ(Newest(), "none");
}

TEST(DrillRecord, SurvivesWritingAndReading) {
  const mfi::core::DrillRecord drill{.id = "20261126T030000Z",
                                     .node = "db-replica-5432",
                                     .system_identifier = kSystem,
                                     .started_at = kAt,
                                     .finished_at = kAt + 40,
                                     .base = "20261126T025900Z-full",
                                     .reference = "what this node held, and what backup b has",
                                     .reference_lsn = 0x100010000,
                                     .backup = "b",
                                     .tables = 17,
                                     .result = "ok",
                                     .error = "",
                                     .rpo_ms = 30,
                                     .rto_ms = 4000,
                                     .newest_time = kAt + 30,
                                     .newest_lsn = 0x100020000};
  EXPECT_EQ(mfi::core::ParseDrillRecord(ToJson(drill)), drill);
}

}  // namespace
