#include "core/replication.h"

#include <gtest/gtest.h>

#include <functional>

namespace {

using namespace mfi::core;
using Lines = std::vector<std::string>;
using Change = std::function<void(ReplicationFacts&)>;

constexpr UtcSeconds kNow = 1'780'000'000;  // 2026-05-28 20:26:40
constexpr std::int64_t kMegabyte = 1024 * 1024;
constexpr Lsn kEnd = 0x16'0000'0000;
constexpr ReplicationLimits kLimits{.lag_warning_bytes = 64 * kMegabyte,
                                    .lag_critical_bytes = 1024 * kMegabyte,
                                    .silence_warning_s = 60,
                                    .silence_critical_s = 120};

WalSenderFacts Sender(int pid, const std::string& name) {
  return {.pid = pid,
          .application_name = name,
          .state = "streaming",
          .sync_state = "async",
          .sent = kEnd,
          .write = kEnd,
          .flush = kEnd,
          .replay = kEnd};
}

SlotFacts Slot(const std::string& name, int pid) {
  return {.name = name, .active_pid = pid, .wal_status = "reserved", .retained_bytes = 16 * kMegabyte};
}

WatchedPeer Watched(const std::string& name, const std::string& slot, int pid) {
  return {.name = name, .slot_name = slot, .connected = true, .walsender_pid = pid, .silent_for_s = 2};
}

/// A primary with one idle, healthy standby.
ReplicationFacts Primary() {
  ReplicationFacts f;
  f.timeline = 1;
  f.now = kNow;
  f.current = kEnd;
  f.watched = true;
  f.senders = {Sender(100, "db-replica")};
  f.slots = {Slot("db_replica", 100)};
  f.watched_peers = {Watched("db-replica", "db_replica", 100)};
  return f;
}

/// A healthy standby.
ReplicationFacts Standby() {
  ReplicationFacts f;
  f.in_recovery = true;
  f.timeline = 1;
  f.now = kNow;
  f.current = kEnd;
  f.watched = true;
  f.receiver = {.running = true,
                .state = "streaming",
                .host = "db-primary",
                .port = 5432,
                .slot_name = "db_replica",
                .flushed = kEnd,
                .upstream_end = kEnd,
                .silent_for_s = 3};
  return f;
}

std::string Line(const Reason& reason) {
  EXPECT_NE(reason.next_step, "") << reason.code;
  return "  " + ToString(reason.verdict) + " " + reason.Text();
}

/// Per peer its verdict and summary and, indented, its reasons; then `node`, when the node has reasons of its own.
Lines Judged(ReplicationFacts facts, const Change& change) {
  change(facts);
  const ReplicationStatus status = JudgeReplication(facts, kLimits);
  Lines lines;
  Reasons all = status.node_reasons;
  for (const PeerStatus& peer : status.peers) {
    lines.push_back(ToString(Worst(peer.reasons)) + " " + peer.summary);
    for (const Reason& reason : peer.reasons) lines.push_back(Line(reason));
    all.insert(all.end(), peer.reasons.begin(), peer.reasons.end());
  }
  if (!status.node_reasons.empty()) lines.emplace_back("node");
  for (const Reason& reason : status.node_reasons) lines.push_back(Line(reason));
  EXPECT_EQ(status.AllReasons().size(), all.size());
  EXPECT_EQ(Worst(status.AllReasons()), Worst(all));
  EXPECT_EQ(status.expected, static_cast<int>(status.peers.size()));
  return lines;
}

struct Case {
  const char* name;
  Change change;
  Lines lines;
};

void Check(const ReplicationFacts& facts, const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(Judged(facts, c.change), c.lines) << c.name;
}

const char kHealthy[] = "ok db-replica: streaming, 0 bytes behind, heard 2 s ago, slot db_replica keeps 16 MB";

void Behind(ReplicationFacts& f, std::int64_t megabytes) {
  f.senders[0].replay = kEnd - static_cast<Lsn>(megabytes * kMegabyte);
}

TEST(Replication, AStandbyThatIsConnected) {
  Check(Primary(), {{"idle", [](auto&) {}, {kHealthy}},
                    {"a little behind",
                     [](auto& f) { Behind(f, 63); },
                     {"ok db-replica: streaming, 63 MB behind, heard 2 s ago, slot db_replica keeps 16 MB"}},
                    {"behind",
                     [](auto& f) { Behind(f, 64); },
                     {"warning db-replica: streaming, 64 MB behind, heard 2 s ago, slot db_replica keeps 16 MB",
                      "  warning standby-behind: db-replica is 64 MB behind"}},
                    {"far behind",
                     [](auto& f) { Behind(f, 1024); },
                     {"critical db-replica: streaming, 1.0 GB behind, heard 2 s ago, slot db_replica keeps 16 MB",
                      "  critical standby-behind: db-replica is 1.0 GB behind"}},
                    {"ahead of us",
                     [](auto& f) { Behind(f, -1); },
                     {"critical db-replica: streaming, -1.0 MB behind, heard 2 s ago, slot db_replica keeps 16 MB",
                      "  critical standby-diverged: db-replica has replayed 1.0 MB more than this node has written"}},
                    {"silent",
                     [](auto& f) { f.watched_peers[0].silent_for_s = 60; },
                     {"warning db-replica: streaming, 0 bytes behind, heard 60 s ago, slot db_replica keeps 16 MB",
                      "  warning standby-silent: db-replica has said nothing for 60 s"}},
                    {"silent for long",
                     [](auto& f) { f.watched_peers[0].silent_for_s = 120; },
                     {"critical db-replica: streaming, 0 bytes behind, heard 2 min ago, slot db_replica keeps 16 MB",
                      "  critical standby-silent: db-replica has said nothing for 2 min"}},
                    {"just connected",
                     [](auto& f) {
                       f.senders[0].state = "startup";
                       f.senders[0].replay = f.senders[0].flush = 0;
                       f.watched_peers.clear();
                     },
                     {"unknown db-replica: startup, slot db_replica keeps 16 MB",
                      "  warning standby-not-streaming: db-replica is in state startup",
                      "  unknown cannot-know: how long db-replica has been silent is not known"}},
                    {"without a launcher and a slot",
                     [](auto& f) {
                       f.watched = false;
                       f.watched_peers.clear();
                       f.slots.clear();
                     },
                     {"unknown db-replica: streaming, 0 bytes behind",
                      "  unknown cannot-know: how long db-replica has been silent is not known"}},
                    {"what only receives is measured by what it flushed",
                     [](auto& f) {
                       f.senders[0].replay = 0;
                       f.senders[0].flush = kEnd - 5000;
                     },
                     {"ok db-replica: streaming, 5000 bytes behind, heard 2 s ago, slot db_replica keeps 16 MB"}},
                    {"our own end is not known",
                     [](auto& f) { f.current = 0; },
                     {"ok db-replica: streaming, heard 2 s ago, slot db_replica keeps 16 MB"}}});
}

TEST(Replication, SlotsOfAStandby) {
  Check(Primary(),
        {{"lost",
          [](auto& f) {
            f.slots[0].wal_status = "lost";
            f.slots[0].retained_bytes.reset();
          },
          {"critical db-replica: streaming, 0 bytes behind, heard 2 s ago, slot db_replica is lost",
           "  critical slot-lost: slot db_replica has lost WAL that its standby needs"}},
         {"unreserved",
          [](auto& f) { f.slots[0].wal_status = "unreserved"; },
          {"critical db-replica: streaming, 0 bytes behind, heard 2 s ago, slot db_replica keeps 16 MB",
           "  critical slot-at-risk: slot db_replica is about to lose WAL"}},
         {"unreserved, with a figure",
          [](auto& f) {
            f.slots[0].wal_status = "unreserved";
            f.slots[0].safe_bytes = -3 * kMegabyte;
          },
          {"critical db-replica: streaming, 0 bytes behind, heard 2 s ago, slot db_replica keeps 16 MB",
           "  critical slot-at-risk: slot db_replica is about to lose WAL (-3.0 MB left)"}},
         {"extended is normal", [](auto& f) { f.slots[0].wal_status = "extended"; }, {kHealthy}},
         {"may fill the disk",
          [](auto& f) { f.slots_unbounded = true; },
          {kHealthy, "node",
           "  warning slots-unbounded: max_slot_wal_keep_size = -1 lets a dead standby's slot fill the disk"}},
         {"none that may fill the disk",
          [](auto& f) {
            f.slots_unbounded = true;
            f.slots[0].temporary = true;
            f.senders.clear();
            f.watched_peers.clear();
          },
          {}}});
}

TEST(Replication, AStandbyThatIsMissing) {
  const auto gone = [](ReplicationFacts& f, double seconds) {
    f.senders.clear();
    f.slots[0].active_pid = 0;
    f.watched_peers[0].connected = false;
    f.watched_peers[0].missing_since = kNow - static_cast<UtcSeconds>(seconds);
  };
  const char not_connected[] = "  warning standby-missing: db-replica is not connected";
  Check(Primary(), {{"for a while",
                     [&](auto& f) { gone(f, 119); },
                     {"warning db-replica: missing since 2026-05-28T20:24:41Z, slot db_replica keeps 16 MB",
                      "  warning standby-missing: db-replica is not connected, missing for 119 s"}},
                    {"for long",
                     [&](auto& f) { gone(f, 120); },
                     {"critical db-replica: missing since 2026-05-28T20:24:40Z, slot db_replica keeps 16 MB",
                      "  critical standby-missing: db-replica is not connected, missing for 2 min"}},
                    {"since when is not known",
                     [&](auto& f) {
                       gone(f, 0);
                       f.watched_peers[0].missing_since.reset();
                     },
                     {"warning db-replica: missing, slot db_replica keeps 16 MB", not_connected}},
                    {"with a slot that is lost",
                     [&](auto& f) {
                       gone(f, 119);
                       f.slots[0].wal_status = "lost";
                     },
                     {"critical db-replica: missing since 2026-05-28T20:24:41Z, slot db_replica is lost",
                      "  warning standby-missing: db-replica is not connected, missing for 119 s",
                      "  critical slot-lost: slot db_replica has lost WAL that its standby needs"}},
                    {"known by its slot alone",
                     [&](auto& f) {
                       gone(f, 0);
                       f.watched_peers.clear();
                     },
                     {"warning db_replica: missing, slot db_replica keeps 16 MB",
                      "  warning standby-missing: db_replica is not connected"}},
                    {"with a slot that is gone too",
                     [&](auto& f) {
                       gone(f, 119);
                       f.slots.clear();
                     },
                     {"warning db-replica: missing since 2026-05-28T20:24:41Z",
                      "  warning standby-missing: db-replica is not connected, missing for 119 s"}},
                    {"expected, never seen",
                     [&](auto& f) {
                       f = ReplicationFacts{.now = kNow, .current = kEnd, .watched = true, .expected = {"db-replica"}};
                     },
                     {"warning db-replica: missing", not_connected}},
                    {"watched, expected and with a slot is one peer",
                     [&](auto& f) {
                       gone(f, 119);
                       f.expected = {"db-replica", "db_replica"};
                     },
                     {"warning db-replica: missing since 2026-05-28T20:24:41Z, slot db_replica keeps 16 MB",
                      "  warning standby-missing: db-replica is not connected, missing for 119 s"}},
                    {"expected by its name or its slot and connected",
                     [&](auto& f) {
                       f.expected = {"db_replica", "db-replica"};
                     },
                     {kHealthy}},
                    {"remembered under another name, connected through its slot",
                     [&](auto& f) { f.watched_peers.push_back({.name = "old-name", .slot_name = "db_replica"}); },
                     {kHealthy}},
                    {"a second one beside the first",
                     [&](auto& f) { f.expected = {"db-third"}; },
                     {kHealthy, "warning db-third: missing", "  warning standby-missing: db-third is not connected"}}});
}

TEST(Replication, TheNextStepOfAMissingStandbyNamesWhatToGiveUp) {
  ReplicationFacts facts = Primary();
  facts.senders.clear();
  facts.watched_peers.clear();
  facts.slots[0].active_pid = 0;
  facts.expected = {"other"};
  const auto status = JudgeReplication(facts, kLimits);
  ASSERT_EQ(status.peers.size(), 2U);
  EXPECT_NE(status.peers[0].reasons[0].next_step.find("SELECT pg_drop_replication_slot('db_replica')"),
            std::string::npos);
  EXPECT_NE(status.peers[1].reasons[0].next_step.find("leave it out of mfi.expected_standbys"), std::string::npos);
}

TEST(Replication, AStandbyIsCalledByItsOwnNameOrItsSlots) {
  const auto named = [](const char* application_name, const Change& more) {
    return Judged(Primary(),
                  [&](auto& f) {
                    f.senders[0].application_name = application_name;
                    more(f);
                  })
        .at(0);
  };
  const Change nothing = [](auto&) {};
  EXPECT_EQ(named("walreceiver", nothing).substr(0, 15), "ok db_replica: ");
  EXPECT_EQ(named("", nothing).substr(0, 15), "ok db_replica: ");
  EXPECT_EQ(named("walreceiver", [](auto& f) { f.slots.clear(); }).substr(0, 16), "ok walreceiver: ");
}

TEST(Replication, WhatIsNoStandby) {
  const auto none = [](ReplicationFacts& f) {
    f.senders.clear();
    f.slots.clear();
    f.watched_peers.clear();
  };
  Check(Primary(),
        {{"nothing at all", none, {}},
         {"nothing expected, nobody watches",
          [&](auto& f) {
            none(f);
            f.watched = false;
            f.none_expected = true;
          },
          {}},
         {"nobody watches",
          [&](auto& f) {
            none(f);
            f.watched = false;
          },
          {"node", "  unknown cannot-know: no launcher watches this node, so a missing standby would not be noticed"}},
         {"a logical subscriber and its slot",
          [](auto& f) {
            f.senders.push_back(Sender(7, "sub"));
            f.senders.back().logical = true;
            f.slots.push_back(Slot("sub", 0));
            f.slots.back().logical = true;
          },
          {kHealthy}},
         {"a base backup and its temporary slot",
          [](auto& f) {
            f.senders.push_back(Sender(7, "pg_basebackup"));
            f.senders.push_back(Sender(8, "pg_basebackup"));
            f.senders.back().state = "backup";
            for (int i = 1; i < 3; ++i) f.senders[i].replay = 0;
            f.slots.push_back(Slot("pg_basebackup_7", 7));
            f.slots.back().temporary = true;
            f.slots.push_back(Slot("pg_basebackup_6", 0));
            f.slots.back().temporary = true;
          },
          {kHealthy}}});
}

TEST(Replication, AStandbyOfItsOwnOnAStandby) {
  const Lines lines = Judged(Standby(), [](auto& f) {
    f.senders = Primary().senders;
    f.slots = {Slot("db_replica", 100), Slot("other", 0)};
    f.watched_peers = Primary().watched_peers;
    f.expected = {"not asked here"};
  });
  EXPECT_EQ(lines, (Lines{"ok db-primary:5432: streaming, 0 bytes behind, heard 3 s ago", kHealthy}));
}

TEST(Replication, TheUpstreamOfAStandby) {
  const auto lost = [](ReplicationFacts& f) { f.receiver.running = false; };
  const std::string is_lost = "upstream-lost: no WAL receiver is running";
  const std::string arrives = ": what is written on the upstream does not arrive";
  Check(Standby(),
        {{"healthy", [](auto&) {}, {"ok db-primary:5432: streaming, 0 bytes behind, heard 3 s ago"}},
         {"replay behind",
          [](auto& f) { f.current -= static_cast<Lsn>(100 * kMegabyte); },
          {"warning db-primary:5432: streaming, 100 MB behind, heard 3 s ago",
           "  warning replay-behind: replay is 100 MB behind"}},
         {"replay far behind what was flushed",
          [](auto& f) { f.receiver.flushed += static_cast<Lsn>(2048 * kMegabyte); },
          {"critical db-primary:5432: streaming, 2.0 GB behind, heard 3 s ago",
           "  critical replay-behind: replay is 2.0 GB behind"}},
         {"silent",
          [](auto& f) { f.receiver.silent_for_s = 119.4; },
          {"warning db-primary:5432: streaming, 0 bytes behind, heard 119 s ago",
           "  warning upstream-silent: db-primary:5432 has said nothing for 119 s"}},
         {"silent for long",
          [](auto& f) { f.receiver.silent_for_s = 300; },
          {"critical db-primary:5432: streaming, 0 bytes behind, heard 5 min ago",
           "  critical upstream-silent: db-primary:5432 has said nothing for 5 min"}},
         {"silent as it may be",
          [](auto& f) {
            f.receiver.silent_for_s = 300;
            f.receiver.may_stay_silent = true;
          },
          {"unknown db-primary:5432: streaming, 0 bytes behind, heard 5 min ago",
           "  unknown cannot-know: db-primary:5432 has said nothing for 5 min, which wal_receiver_timeout = 0 allows"}},
         {"not yet heard",
          [](auto& f) { f.receiver.silent_for_s.reset(); },
          {"unknown db-primary:5432: streaming, 0 bytes behind",
           "  unknown cannot-know: how long db-primary:5432 has been silent is not known"}},
         {"paused",
          [](auto& f) { f.replay_paused = true; },
          {"warning db-primary:5432: streaming, 0 bytes behind, heard 3 s ago",
           "  warning replay-paused: replay is paused on this standby"}},
         {"diverged",
          [](auto& f) { f.current += 0x100; },
          {"critical db-primary:5432: streaming, heard 3 s ago",
           "  critical standby-diverged: this standby has replayed to 16/100, beyond the upstream's 16/0"}},
         {"waiting for a timeline",
          [](auto& f) { f.receiver.state = "waiting"; },
          {"critical db-primary:5432: waiting, 0 bytes behind, heard 3 s ago",
           "  critical receiver-not-streaming: the WAL receiver is in state waiting"}},
         {"starting",
          [](auto& f) { f.receiver.state = "starting"; },
          {"warning db-primary:5432: starting, 0 bytes behind, heard 3 s ago",
           "  warning receiver-not-streaming: the WAL receiver is in state starting"}},
         {"lost",
          lost,
          {"warning db-primary:5432: disconnected, 0 bytes behind, heard 3 s ago",
           "  warning " + is_lost + ", last heard 3 s ago" + arrives}},
         {"lost for long",
          [&](auto& f) {
            lost(f);
            f.receiver.silent_for_s = 120;
            f.current += 0x100;  // replayed from an archive
          },
          {"critical db-primary:5432: disconnected, 0 bytes behind, heard 2 min ago",
           "  critical " + is_lost + ", last heard 2 min ago" + arrives}},
         {"never there",
          [&](auto& f) { f.receiver = {}; },
          {"warning upstream: disconnected", "  warning " + is_lost + arrives}},
         {"without a port",
          [](auto& f) { f.receiver.port = 0; },
          {"ok db-primary: streaming, 0 bytes behind, heard 3 s ago"}},
         {"unbounded slots of its own",
          [](auto& f) {
            f.slots_unbounded = true;
            f.slots = {Slot("x", 0)};
          },
          {"ok db-primary:5432: streaming, 0 bytes behind, heard 3 s ago", "node",
           "  warning slots-unbounded: max_slot_wal_keep_size = -1 lets a dead standby's slot fill the disk"}}});
}

TEST(Replication, ARowCarriesItsFigures) {
  ReplicationFacts facts = Primary();
  facts.senders[0].sent = kEnd - 1;
  facts.senders[0].write = kEnd - 2;
  facts.senders[0].flush = kEnd - 3;
  facts.senders[0].replay = kEnd - 4;
  facts.senders[0].write_lag_us = 10;
  facts.senders[0].flush_lag_us = 20;
  facts.senders[0].replay_lag_us = 30;
  facts.senders[0].sync_state = "sync";
  facts.slots[0].safe_bytes = 99;
  facts.expected = {"db-third"};
  const auto status = JudgeReplication(facts, kLimits);
  EXPECT_EQ(status.connected, 1);
  EXPECT_EQ(status.expected, 2);
  const PeerStatus& p = status.peers.at(0);
  EXPECT_EQ(p.peer + " " + p.state + " " + p.sync_state, "db-replica streaming sync");
  EXPECT_EQ((std::vector<Lsn>{p.sent, p.write, p.flush, p.replay}),
            (std::vector<Lsn>{kEnd - 1, kEnd - 2, kEnd - 3, kEnd - 4}));
  EXPECT_EQ(p.lag_bytes, 4);
  EXPECT_EQ(p.write_lag_us, 10);
  EXPECT_EQ(p.flush_lag_us, 20);
  EXPECT_EQ(p.replay_lag_us, 30);
  EXPECT_EQ(p.slot_name + " " + p.slot_wal_status, "db_replica reserved");
  EXPECT_EQ(p.slot_safe_bytes, 99);
  EXPECT_EQ(p.slot_retained_bytes, 16 * kMegabyte);
}

TEST(Replication, CatchUpIsLagByTheGain) {
  const auto eta = [](std::int64_t megabytes, std::optional<double> replay, std::optional<double> wal) {
    ReplicationFacts facts = Primary();
    Behind(facts, megabytes);
    facts.watched_peers[0].replay_bytes_per_s = replay;
    facts.wal_bytes_per_s = wal;
    return JudgeReplication(facts, kLimits).peers.at(0).catchup_eta_s;
  };
  EXPECT_EQ(eta(30, 4.0 * kMegabyte, 1.0 * kMegabyte), 10.0);
  EXPECT_EQ(eta(0, 4.0 * kMegabyte, 1.0 * kMegabyte), std::nullopt);
  EXPECT_EQ(eta(30, std::nullopt, 1.0), std::nullopt);
  EXPECT_EQ(eta(30, 1.0, std::nullopt), std::nullopt);
  EXPECT_EQ(eta(30, 1.0, 1.0), std::nullopt);
  EXPECT_EQ(eta(30, 1.0, 2.0), std::nullopt);
}

TEST(Replication, AllReasonsComeGravestFirst) {
  ReplicationFacts facts = Primary();
  facts.slots_unbounded = true;
  facts.slots[0].wal_status = "lost";
  const Reasons reasons = JudgeReplication(facts, kLimits).AllReasons();
  ASSERT_EQ(reasons.size(), 2U);
  EXPECT_EQ(reasons[0].code, "slot-lost");
  EXPECT_EQ(reasons[1].code, "slots-unbounded");
}

TEST(Replication, LsnsAreWrittenAsPostgresDoes) {
  EXPECT_EQ(FormatLsn(0), "0/0");
  EXPECT_EQ(FormatLsn(0x16'B374'D848), "16/B374D848");
  EXPECT_EQ(FormatLsn(~Lsn{0}), "FFFFFFFF/FFFFFFFF");
}

}  // namespace
