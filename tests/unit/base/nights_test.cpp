// Nights in a real directory, a season of them, a year in the long form: successes of every kind, failures, holds, sets
// removed by hand, clock jumps and resets of the stack. After each night the promises of retention are checked against
// what is left on disk.

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "core/base/names.h"
#include "os/backup/expire.h"
#include "os/backup/history.h"
#include "os/backup/record_store.h"
#include "support.h"

namespace {

using namespace mfi::test;
using namespace mfi::core;
using namespace mfi::os;
using Ids = std::set<std::string>;

class Nights : public testing::TestWithParam<unsigned> {
 protected:
  Nights() : random_(GetParam()) { directory_.Prepare(); }

  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  std::int64_t Between(std::int64_t a, std::int64_t b) {
    return std::uniform_int_distribution<std::int64_t>(a, b)(random_);
  }

  Ids OnDisk() const {
    Ids ids;
    for (const StoredSet& set : directory_.Sets()) ids.insert(set.manifest.run.id);
    return ids;
  }

  /// What must outlive any retention: foreign and held sets, the newest verified own set.
  Ids Untouchable() const {
    Ids ids;
    UtcSeconds newest = 0;
    std::string newest_verified;
    for (const StoredSet& set : directory_.Sets()) {
      const RunRecord& run = set.manifest.run;
      const bool own = run.system_identifier == system_;
      if (!own || set.manifest.held) ids.insert(run.id);
      if (own && run.verify_result == "ok" && *run.finished_at <= now_ && *run.finished_at >= newest) {
        newest = *run.finished_at;
        newest_verified = run.id;
      }
    }
    if (!newest_verified.empty()) ids.insert(newest_verified);
    return ids;
  }

  void Fail() {
    RunRecord run = SampleRun(now_, RunState::kFailed);
    run.finished_at = now_;
    run.error = "a bad night";
    LockedRecord(directory_.RunsPath(), run).Save();
  }

  void Succeed() {
    Manifest manifest = SampleManifest(now_);
    manifest.run.system_identifier = system_;
    manifest.run.size_bytes = Between(1, 1'000'000);
    manifest.run.tables = static_cast<int>(Between(15, 17));
    if (Chance(0.2)) {
      manifest.run.verify_result.clear();
      manifest.run.verified_at.reset();
    }
    manifest.held = Chance(0.03);
    LockedRecord(directory_.RunsPath(), manifest.run).Save();
    PublishSample(directory_, manifest);
    directory_.PointLatestAtNewestVerified(system_);
    Retain();
  }

  void Retain() {
    const RetentionRule rule{.retain_days = static_cast<int>(Between(0, 14)),
                             .min_keep = static_cast<int>(Between(1, 5))};
    const Ids before = OnDisk();
    const Ids untouchable = Untouchable();
    Ids kept;
    for (const RetentionDecision& decision : PreviewExpiry(directory_, "bank", system_, rule, now_)) {
      if (decision.keep) kept.insert(decision.id);
    }
    Expire(directory_, "bank", system_, rule, now_);
    const Ids after = OnDisk();
    ASSERT_EQ(after, kept) << "the preview is what happens";
    for (const std::string& id : untouchable) ASSERT_TRUE(after.count(id)) << id;
    for (const std::string& id : before) {
      if (after.count(id) == 0) expired_.insert(id);
    }
  }

  void Disturb() {
    const std::vector<StoredSet> sets = directory_.Sets();
    if (!sets.empty()) {
      StoredSet set = sets[static_cast<std::size_t>(Between(0, std::ssize(sets) - 1))];
      if (Chance(0.05)) {
        set.manifest.held = !set.manifest.held;
        directory_.SaveManifest(set.manifest);
      } else if (Chance(0.02)) {
        directory_.Remove(set.manifest.run.id);
        removed_.insert(set.manifest.run.id);
      } else if (Chance(0.02) && set.manifest.run.system_identifier != system_) {
        set.manifest.adopted_from = set.manifest.run.system_identifier;
        set.manifest.run.system_identifier = system_;
        directory_.SaveManifest(set.manifest);
      }
    }
    if (Chance(0.01)) system_ = std::to_string(7'400'000'000'000'000'000 + Between(1, 3));
    now_ += Chance(0.02) ? Between(-20, 20) * kDay : 0;
  }

  void CheckHistory() const {
    std::map<std::string, RunState> states;
    for (const HistoryEntry& entry : ReadHistory(directory_)) {
      states[entry.run.id] = entry.run.state;
      EXPECT_EQ(entry.has_set, Exists(directory_.SetPath(entry.run.id))) << entry.run.id;
    }
    for (const auto& [ids, state] :
         {std::pair(expired_, RunState::kExpired), std::pair(removed_, RunState::kMissing)}) {
      for (const std::string& id : ids) {
        if (states.count(id) != 0) {
          EXPECT_EQ(states.at(id), state) << id;
        } else {
          EXPECT_LT(id, RunId("bank", latest_ - 365 * kDay)) << "records are kept for a year";
        }
      }
    }
  }

  std::mt19937_64 random_;
  TempDirectory temporary_;
  BackupDirectory directory_{temporary_.path(), kNode};
  std::string system_ = kSystem;
  UtcSeconds now_ = 1'780'000'000;
  UtcSeconds latest_ = now_;
  Ids expired_;
  Ids removed_;
};

TEST_P(Nights, DeleteNothingGood) {
  const int nights = IsLongForm() ? 365 : 60;
  for (int night = 0; night < nights && !HasFatalFailure(); ++night) {
    now_ += kDay;
    latest_ = std::max(latest_, now_);
    while (HasRecord(directory_.RunsPath(), RunId("bank", now_))) ++now_;
    if (Chance(0.3)) {
      Fail();
    } else {
      Succeed();
    }
    Disturb();
  }
  CheckHistory();
  EXPECT_GT(expired_.size(), 5U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Nights, testing::Range(1U, 4U));

}  // namespace
