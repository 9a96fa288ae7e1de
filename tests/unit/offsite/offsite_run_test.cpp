#include "os/offsite/offsite_run.h"

#include "os/backup/set_files.h"
#include "os/base/find_program.h"
#include "os/offsite/copies.h"
#include "restic_support.h"

namespace {

using namespace mfi;
using namespace mfi::test;
using core::OffsiteWork;

class OffsiteRunTest : public ResticFixture {
 protected:
  OffsiteRunTest() {
    source_.backup_directory = Backups();
    source_.database = "bank";
    source_.state_path = os::OffsiteStatePath(Backups(), "", kNode);
  }

  os::OffsiteRun Run() { return {job_, source_, host_}; }

  /// Publishes a proven set; returns its id.
  std::string Publish(core::UtcSeconds at) {
    core::Manifest set = SampleManifest(at);
    set.run.verify_method = core::VerifyMethod::kRestore;
    PublishSample(directory_, set);
    return set.run.id;
  }

  std::vector<core::Snapshot> Copies() { return os::Restic(job_, host_).Snapshots(os::kSetTag); }

  os::OffsiteSource source_;
};

TEST_F(OffsiteRunTest, ACopiedSetIsNotedInItsManifest) {
  Init();
  const std::string id = Publish(host_.now);
  core::Manifest other = SampleManifest(host_.now + 10);
  other.run.verify_method = core::VerifyMethod::kList;
  PublishSample(directory_, other);
  os::OffsiteRun run = Run();
  ASSERT_EQ(run.Sets().size(), 1U) << "only what was proven";
  EXPECT_EQ(run.Sets()[0].id, id);
  EXPECT_FALSE(run.Sets()[0].copied);
  EXPECT_TRUE(run.Do({OffsiteWork::kSet, id})) << run.state().error;
  const std::vector<core::SetCopy> copies = directory_.FindSet(id).copies;
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_EQ(copies[0].repository, run.state().repository_id);
  EXPECT_EQ(copies[0].at, host_.now);
  EXPECT_EQ(Copies().at(0).id, copies[0].snapshot);
  EXPECT_TRUE(Run().Sets().at(0).copied) << "after a restart, too";
  EXPECT_EQ(Run().state(), run.state());
  EXPECT_EQ(ModeOf(source_.state_path), 0600U);
}

TEST_F(OffsiteRunTest, AnotherRepositoryHasNoneOfIt) {
  Init();
  const std::string id = Publish(host_.now);
  EXPECT_TRUE(Run().Do({OffsiteWork::kSet, id}));
  job_.repository = temporary_ / "another";
  Init();
  os::OffsiteRun run = Run();
  EXPECT_FALSE(run.Sets().at(0).copied);
  EXPECT_TRUE(run.Do({OffsiteWork::kSet, id}));
  EXPECT_TRUE(run.Sets().at(0).copied);
  EXPECT_EQ(directory_.FindSet(id).copies.size(), 2U);
}

TEST_F(OffsiteRunTest, AFailureIsToldUntilItIsOver) {
  const std::string id = Publish(host_.now);
  os::OffsiteRun run = Run();
  EXPECT_FALSE(run.Do({OffsiteWork::kSet, id}));
  const core::UtcSeconds began = host_.now;
  EXPECT_EQ(run.state().failing_since, began);
  EXPECT_EQ(run.state().fault, "offsite-unreachable");
  EXPECT_NE(run.state().error.find("repository"), std::string::npos) << run.state().error;
  EXPECT_NE(run.state().next_step.find("restic init"), std::string::npos);
  host_.now += 60;
  os::RemoveTree(job_.password_file);
  os::OffsiteRun later = Run();
  EXPECT_FALSE(later.Do({OffsiteWork::kSet, id}));
  EXPECT_EQ(later.state().failing_since, began);
  EXPECT_EQ(later.state().fault, "offsite-password-lost");
  Write(job_.password_file, "secret\n");
  chmod(job_.password_file.c_str(), 0600);
  Init();
  EXPECT_TRUE(later.Do({OffsiteWork::kSet, id})) << later.state().error;
  EXPECT_FALSE(later.state().failing_since);
  EXPECT_EQ(later.state().error, "");
  EXPECT_EQ(later.state().answered_at, host_.now);
}

TEST_F(OffsiteRunTest, WhatArrivedBeforeABreakIsNotSentAgain) {
  Init();
  const std::string id = Publish(host_.now);
  core::Manifest set = directory_.FindSet(id);
  const std::string large = Noise(std::size_t{64} * 1024 * 1024);
  const std::string path = directory_.SetPath(id) + "/" + set.files.at(0).name;
  Write(path, large);
  set.files.at(0).bytes = static_cast<std::int64_t>(large.size());
  for (const core::ManifestFile& file : os::DescribeFiles(directory_.SetPath(id), host_)) {
    if (file.name == set.files.at(0).name) set.files.at(0).sha256 = file.sha256;
  }
  directory_.SaveManifest(set);
  const auto packs = [&] { return os::TreeSize(job_.repository + "/data"); };
  job_.limit_upload_kib = 8192;
  host_.stop_when = [&] { return packs() > std::int64_t{30} * 1024 * 1024; };
  os::OffsiteRun run = Run();
  EXPECT_THROW(run.Do({OffsiteWork::kSet, id}), core::Stop);
  host_.stop_when = nullptr;
  job_.limit_upload_kib = 0;
  const std::int64_t before = packs();
  os::OffsiteRun again = Run();
  EXPECT_TRUE(again.state().unfinished);
  EXPECT_TRUE(again.Do({OffsiteWork::kSet, id})) << again.state().error;
  EXPECT_LT(packs(), before + static_cast<std::int64_t>(large.size()) - std::int64_t{24} * 1024 * 1024);
  os::FetchCopy(os::Restic(job_, host_), Copies().at(0).id, temporary_ / "fetched");
  EXPECT_EQ(os::ReadFile(temporary_ / ("fetched/" + id + "/" + set.files.at(0).name), 100'000'000), large);
}

TEST_F(OffsiteRunTest, WhatIsGoneThereIsToldAndCopiedAgain) {
  Init();
  const std::string id = Publish(host_.now);
  const std::string other = Publish(host_.now + 10);
  os::OffsiteRun run = Run();
  for (const std::string& set : {id, other}) ASSERT_TRUE(run.Do({OffsiteWork::kSet, set})) << run.state().error;
  EXPECT_TRUE(run.Do({OffsiteWork::kProbe, {}})) << run.state().error;
  EXPECT_EQ(run.state().missing, "");
  os::Restic(job_, host_).Run({"forget", directory_.FindSet(id).copies.at(0).snapshot});
  EXPECT_TRUE(run.Do({OffsiteWork::kProbe, {}})) << run.state().error;
  EXPECT_EQ(run.state().missing, id);
  EXPECT_FALSE(Run().Sets().at(0).copied);
  EXPECT_TRUE(Run().Sets().at(1).copied);
  EXPECT_TRUE(run.Do({OffsiteWork::kSet, id}));
  EXPECT_TRUE(run.Do({OffsiteWork::kProbe, {}}));
  EXPECT_EQ(run.state().missing, "");
}

TEST_F(OffsiteRunTest, WhatRetentionLetGoIsNotMissing) {
  Init();
  const std::string id = Publish(host_.now);
  const std::string newer = Publish(host_.now + 10);
  source_.keep = core::ParseKeepRule("1d");
  os::OffsiteRun run = Run();
  for (const std::string& set : {id, newer}) ASSERT_TRUE(run.Do({OffsiteWork::kSet, set})) << run.state().error;
  EXPECT_TRUE(run.Do({OffsiteWork::kForget, {}})) << run.state().error;
  EXPECT_EQ(run.state().keep_error, "");
  EXPECT_EQ(Copies().size(), 1U);
  EXPECT_TRUE(directory_.FindSet(id).copies.at(0).forgotten);
  EXPECT_FALSE(directory_.FindSet(newer).copies.at(0).forgotten);
  EXPECT_TRUE(run.Do({OffsiteWork::kProbe, {}})) << run.state().error;
  EXPECT_EQ(run.state().missing, "");
  EXPECT_TRUE(Run().Sets().at(0).copied) << "it is not copied again";
}

TEST_F(OffsiteRunTest, ASetThatIsDamagedSinceItsProofIsNotCopied) {
  Init();
  const std::string id = Publish(host_.now);
  const std::string file = directory_.SetPath(id) + "/" + directory_.FindSet(id).files.at(0).name;
  std::string content = os::ReadFile(file);
  content[0] = static_cast<char>(content[0] ^ 1);
  Write(file, content);
  os::OffsiteRun run = Run();
  EXPECT_TRUE(run.Do({OffsiteWork::kSet, id})) << run.state().error;
  EXPECT_TRUE(Copies().empty());
  EXPECT_NE(directory_.FindSet(id).run.verify_result, "ok");
  EXPECT_TRUE(run.Sets().empty());
}

TEST_F(OffsiteRunTest, ALockOfSomebodyElseIsWaitedFor) {
  Init();
  const std::string id = Publish(host_.now);
  Write(temporary_ / "large", Noise(std::size_t{4} * 1024 * 1024));
  const std::string locks = job_.repository + "/locks";
  const std::vector<std::string> arguments = {"backup", "--limit-upload=1", "--no-cache", temporary_ / "large"};
  os::Child child(
      {.program = os::FindProgram("restic"),
       .arguments = arguments,
       .environment = {"RESTIC_REPOSITORY=" + job_.repository, "RESTIC_PASSWORD_FILE=" + job_.password_file},
       .end_signal = SIGKILL});
  ASSERT_TRUE(Eventually([&] { return !os::ListDirectory(locks).empty(); }));
  source_.keep = core::ParseKeepRule("7d");
  os::OffsiteRun run = Run();
  ASSERT_TRUE(run.Do({OffsiteWork::kSet, id})) << run.state().error;
  EXPECT_FALSE(run.Do({OffsiteWork::kForget, {}}));
  EXPECT_EQ(run.state().fault, core::kOffsiteLocked);
  EXPECT_FALSE(os::ListDirectory(locks).empty()) << "nobody else's lock is taken away";
}

TEST_F(OffsiteRunTest, AStoreIsCopiedWithoutItsLocks) {
  Init();
  source_.recovery_directory = temporary_ / "recovery";
  os::MakeDirectory(source_.recovery_directory, 0700);
  const std::string store = source_.recovery_directory + "/" + kNode;
  for (const char* name : {"", "/wal", "/base", "/base/.new"}) os::MakeDirectory(store + name, 0700);
  for (const char* name : {"/wal/1", "/.run", "/.receiver", "/base/.new/x", "/store.json"}) Write(store + name, name);
  os::OffsiteRun run = Run();
  EXPECT_TRUE(run.Do({OffsiteWork::kStore, {}})) << run.state().error;
  EXPECT_EQ(run.state().store_copied_at, host_.now);
  os::FetchCopy(os::Restic(job_, host_), run.state().store_snapshot, temporary_ / "fetched");
  EXPECT_EQ(os::ListDirectory(temporary_ / ("fetched/" + std::string(kNode))),
            (std::vector<std::string>{"base", "store.json", "wal"}));
  EXPECT_TRUE(os::ListDirectory(temporary_ / ("fetched/" + std::string(kNode) + "/base")).empty());
}

}  // namespace
