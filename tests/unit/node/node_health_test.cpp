#include "core/node/node_health.h"

#include <gtest/gtest.h>

#include <functional>

namespace {

using namespace mfi::core;

/// The reasons of a node that is well but for `change`.
std::string Judged(const std::function<void(NodeFacts&)>& change) {
  NodeFacts facts;
  facts.preloaded = facts.launcher_alive = true;
  facts.databases = {{.name = "mfi_banking", .collation_version = "2.36", .actual_collation_version = "2.36"}};
  facts.freeze_max_age = 200'000'000;
  facts.multixact_freeze_max_age = 400'000'000;
  change(facts);
  std::string lines;
  for (const Reason& reason : JudgeNode(facts)) {
    EXPECT_NE(reason.next_step, "");
    lines += ToString(reason.verdict) + " " + reason.Text();
  }
  return lines;
}

TEST(NodeHealth, AWellNodeHasNoReason) {
  EXPECT_EQ(Judged([](auto&) {}), "");
}

TEST(NodeHealth, TheLibrary) {
  EXPECT_EQ(Judged([](auto& f) { f.preloaded = f.launcher_alive = false; }),
            "critical not-preloaded: the mfi library is not loaded at server start");
  EXPECT_EQ(Judged([](auto& f) { f.launcher_alive = false; }),
            "critical launcher-down: the mfi launcher is not running");
  EXPECT_EQ(Judged([](auto& f) { f.watcher_alive = false; }),
            "critical watcher-down: the mfi watcher is not running, so nobody looks at replication");
  EXPECT_EQ(Judged([](auto& f) { f.launcher_stalled_s = 40; }),
            "unknown launcher-stalled: the mfi launcher has not come round for 40 s: schedule, requests and "
            "notifications wait");
  EXPECT_EQ(Judged([](auto& f) { f.peers_unsaved = "no room"; }),
            "warning peers-not-saved: which standbys there are is known, but not on disk: no room");
  EXPECT_EQ(Judged([](auto& f) { f.maintenance_failure = "no ddl here"; }),
            "warning maintenance-failed: what keeps the audit partitions ahead could not do its work: no ddl here");
  EXPECT_EQ(Judged([](auto& f) { f.invalid_settings = "x = 1 is not in force"; }),
            "critical setting-invalid: x = 1 is not in force");
}

TEST(NodeHealth, TheSchema) {
  EXPECT_EQ(Judged([](auto& f) {
              f.schema = {{Verdict::kWarning, "schema-behind", "it is old", "migrate"}};
            }),
            "warning schema-behind: it is old");
}

TEST(NodeHealth, Databases) {
  EXPECT_EQ(
      Judged([](auto& f) { f.databases[0].checksum_failures = 2; }),
      "critical checksum-failures: database mfi_banking has 2 pages that were damaged on disk when they were read");
  EXPECT_EQ(Judged([](auto& f) { f.databases[0].actual_collation_version = "2.41"; }),
            "warning collation-drift: database mfi_banking was made with collation version 2.36, this machine sorts by "
            "2.41: indexes on text may miss rows");
  EXPECT_EQ(Judged([](auto& f) { f.databases[0].collation_version = ""; }), "");
  EXPECT_EQ(Judged([](auto& f) { f.databases[0].actual_collation_version = ""; }), "");
}

TEST(NodeHealth, Transactions) {
  const auto open = [](double seconds) {
    return Judged([&](auto& f) {
      f.oldest_transaction_s = seconds;
      f.oldest_transaction_pid = 42;
    });
  };
  EXPECT_EQ(open(3599), "");
  EXPECT_EQ(open(3 * 3600),
            "warning transaction-old: process 42 has had a transaction open for 3 h: VACUUM cannot clean up after it");
  EXPECT_EQ(Judged([](auto& f) {
              f.oldest_transaction_s = 3 * 3600;
              f.transaction_warning_s = 4 * 3600;
            }),
            "");
  const auto prepared = [](double seconds) {
    return Judged([&](auto& f) {
      f.prepared_transactions = 2;
      f.oldest_prepared_s = seconds;
      f.oldest_prepared_gid = "transfer 1";
    });
  };
  EXPECT_EQ(prepared(599), "");
  EXPECT_EQ(prepared(600),
            "warning prepared-transaction-old: 2 prepared transactions, the oldest (transfer 1) for 10 min: they keep "
            "locks and dead rows, also over a restart");
}

TEST(NodeHealth, Wraparound) {
  const auto xid = [](std::int64_t age) { return Judged([&](auto& f) { f.xid_age = age; }); };
  EXPECT_EQ(xid(399'999'999), "");
  EXPECT_EQ(
      xid(400'000'000),
      "warning wraparound-near: the oldest transaction id is 400 million old; writes are refused at 2000 million");
  EXPECT_EQ(
      xid(1'200'000'000),
      "critical wraparound-near: the oldest transaction id is 1200 million old; writes are refused at 2000 million");
  EXPECT_EQ(Judged([](auto& f) { f.multixact_age = 800'000'000; }),
            "warning wraparound-near: the oldest multixact id is 800 million old; writes are refused at 2000 million");
}

}  // namespace
