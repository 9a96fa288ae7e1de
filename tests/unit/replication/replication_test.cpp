#include "core/replication/replication.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/base/smooth_rate.h"
#include "core/replication/clock_skew.h"

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
  f.current = f.written = kEnd;
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
  f.current = f.written = kEnd;
  f.watched = true;
  f.receiver = {.running = true,
                .state = "streaming",
                .name = "db-primary:5432",
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
  Check(Primary(),
        {{"idle", [](auto&) {}, {kHealthy}},
         {"a little behind",
          [](auto& f) { Behind(f, 63); },
          {"ok db-replica: streaming, 63 MB behind, heard 2 s ago, slot db_replica keeps 16 MB"}},
         {"behind",
          [](auto& f) { Behind(f, 64); },
          {"warning db-replica: streaming, 64 MB behind, heard 2 s ago, slot db_replica keeps 16 MB",
           "  warning standby-behind: db-replica is 64 MB behind"}},
         {"behind, and being dumped",
          [](auto& f) {
            Behind(f, 64);
            f.standby_dumped = true;
          },
          {"warning db-replica: streaming, 64 MB behind, heard 2 s ago, slot db_replica keeps 16 MB",
           "  warning standby-dumping: db-replica is 64 MB behind while a backup is dumped from the "
           "standby"}},
         {"far behind, dumped or not",
          [](auto& f) {
            Behind(f, 1024);
            f.standby_dumped = true;
          },
          {"critical db-replica: streaming, 1.0 GB behind, heard 2 s ago, slot db_replica keeps 16 MB",
           "  critical standby-behind: db-replica is 1.0 GB behind"}},
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
          {"warning db-replica: startup, slot db_replica keeps 16 MB",
           "  warning standby-not-streaming: db-replica is in state startup"}},
         {"connected, and does not begin to stream",
          [](auto& f) {
            f.senders[0].state = "startup";
            f.watched_peers[0].looks_in_startup = 2;
          },
          {"critical db-replica: startup, 0 bytes behind, heard 2 s ago, slot db_replica keeps 16 MB",
           "  critical standby-diverged: db-replica is connected but cannot stream: it has WAL that this "
           "node's timeline does not have"}},
         {"nobody has looked since it last said something",
          [](auto& f) {
            f.not_looked_for_s = 90;
            f.watched_peers[0].silent_for_s.reset();
          },
          {"unknown db-replica: streaming, 0 bytes behind, slot db_replica keeps 16 MB",
           "  unknown cannot-know: how long db-replica has been silent is not known: the mfi watcher has not "
           "looked at replication for 90 s",
           "node",
           "  unknown watcher-stalled: the mfi watcher has not looked at replication for 90 s, so who is "
           "missing or silent now is not known"}},
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
          [](auto& f) { f.current = f.written = 0; },
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
                       f = ReplicationFacts{
                           .now = kNow, .current = kEnd, .written = kEnd, .watched = true, .expected = {"db-replica"}};
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
  ReplicationFacts lost = Standby();
  EXPECT_EQ(JudgeReplication(lost, kLimits).connected, 1);
  lost.receiver.running = false;
  EXPECT_EQ(JudgeReplication(lost, kLimits).connected, 0);
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
            f.upstream_bound = {.seconds = std::nullopt, .setting = "wal_receiver_timeout"};
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
  const auto status = [](std::int64_t megabytes, std::optional<double> replay, std::optional<double> wal) {
    ReplicationFacts facts = Primary();
    Behind(facts, megabytes);
    facts.watched_peers[0].replay_bytes_per_s = replay;
    facts.wal_bytes_per_s = wal;
    return JudgeReplication(facts, kLimits).peers.at(0);
  };
  const auto eta = [&](auto... arguments) { return status(arguments...).catchup_eta_s; };
  EXPECT_EQ(eta(30, 4.0 * kMegabyte, 1.0 * kMegabyte), 10.0);
  EXPECT_EQ(eta(0, 4.0 * kMegabyte, 1.0 * kMegabyte), std::nullopt);
  EXPECT_EQ(eta(30, std::nullopt, 1.0), std::nullopt);
  EXPECT_EQ(eta(30, 1.0, std::nullopt), std::nullopt);
  EXPECT_EQ(eta(30, 1.0, 1.0), std::nullopt);
  EXPECT_FALSE(status(30, 1.0, 2.0).never_catches_up) << "too near to say so";
  EXPECT_TRUE(status(64, 1.0, 2.0).never_catches_up);
  EXPECT_EQ(status(64, 5.0 * kMegabyte, 1.0 * kMegabyte).reasons.at(0).sentence,
            "db-replica is 64 MB behind, caught up in about 16 s");
  EXPECT_EQ(status(64, 1.0, 2.0).reasons.at(0).sentence,
            "db-replica is 64 MB behind, and never catches up like this: replay is slower than writes");
}

TEST(Replication, AStandbyKnowsItsOwnCatchUp) {
  ReplicationFacts facts = Standby();
  facts.current -= static_cast<Lsn>(100 * kMegabyte);
  facts.replay_bytes_per_s = 3.0 * kMegabyte;
  facts.wal_bytes_per_s = 1.0 * kMegabyte;
  EXPECT_EQ(JudgeReplication(facts, kLimits).peers.at(0).catchup_eta_s, 50.0);
  facts.replay_bytes_per_s = 0;
  EXPECT_TRUE(JudgeReplication(facts, kLimits).peers.at(0).never_catches_up);
}

TEST(Replication, ClocksThatDiffer) {
  const std::string behind = "  warning clock-skew: the clock of db-primary:5432 is 90 s behind this node's";
  Check(Primary(), {{"a little", [](auto& f) { f.watched_peers[0].clock_skew_s = 4.9; }, {kHealthy}},
                    {"ahead",
                     [](auto& f) { f.watched_peers[0].clock_skew_s = 12; },
                     {"warning" + std::string(kHealthy).substr(2),
                      "  warning clock-skew: the clock of db-replica is 12 s ahead of this node's"}}});
  Check(Standby(), {{"the upstream's",
                     [](auto& f) { f.receiver.clock_skew_s = -90; },
                     {"warning db-primary:5432: streaming, 0 bytes behind, heard 3 s ago", behind}}});
}

TEST(Replication, HowLongASlotWillLast) {
  const auto reasons = [](const Change& change) {
    ReplicationFacts facts = Primary();
    facts.slots[0].safe_bytes = 3600 * kMegabyte;
    facts.wal_bytes_per_s_trend = 0.5 * kMegabyte;
    facts.senders.clear();
    facts.slots[0].active_pid = 0;
    facts.watched_peers[0].connected = false;
    facts.watched_peers[0].missing_since = kNow - 60;
    change(facts);
    Lines lines;
    for (const Reason& reason : JudgeReplication(facts, kLimits).AllReasons()) {
      if (reason.code != "standby-missing") lines.push_back(Line(reason));
    }
    return lines;
  };
  EXPECT_EQ(reasons([](auto&) {}),
            (Lines{"  warning slot-at-risk: slot db_replica will lose WAL in about 2 h (3.5 GB left)"}));
  EXPECT_EQ(reasons([](auto& f) { f.wal_bytes_per_s_trend = 4.0 * kMegabyte; }),
            (Lines{"  critical slot-at-risk: slot db_replica will lose WAL in about 15 min (3.5 GB left)"}));
  EXPECT_EQ(reasons([](auto& f) { f.wal_bytes_per_s_trend = 100; }), Lines{}) << "more than a day";
  EXPECT_EQ(reasons([](auto& f) { f.wal_bytes_per_s_trend = 0; }), Lines{});
  EXPECT_EQ(reasons([](auto& f) { f.wal_bytes_per_s_trend.reset(); }), Lines{});
  EXPECT_EQ(reasons([](auto& f) { f.watched_peers[0].missing_since = kNow - 59; }), Lines{}) << "it may be restarting";
  EXPECT_EQ(reasons([](auto& f) { f.slots[0].safe_bytes.reset(); }), Lines{});
}

// What a slot keeps grows with what its standby does not receive; whether that is replayed does not matter to it.
TEST(Replication, ASlotThatKeepsMoreAndMore) {
  const auto codes = [](const Change& change) {
    ReplicationFacts facts = Primary();
    facts.senders[0].flush = facts.senders[0].replay = kEnd - static_cast<Lsn>(64 * kMegabyte);
    facts.slots[0].safe_bytes = 3600 * kMegabyte;
    facts.slots[0].retained_bytes = 64 * kMegabyte;
    facts.wal_bytes_per_s_trend = 0.5 * kMegabyte;
    facts.watched_peers[0].slot_bytes_per_s = 0.1 * kMegabyte;
    change(facts);
    Lines found;
    for (const Reason& reason : JudgeReplication(facts, kLimits).AllReasons()) found.push_back(reason.code);
    return found;
  };
  EXPECT_EQ(codes([](auto&) {}), (Lines{"standby-behind", "slot-at-risk"}));
  EXPECT_EQ(codes([](auto& f) { f.watched_peers[0].slot_bytes_per_s = 0.46 * kMegabyte; }), Lines{"standby-behind"})
      << "as fast as is written";
  EXPECT_EQ(codes([](auto& f) { f.watched_peers[0].slot_bytes_per_s.reset(); }), Lines{"standby-behind"});
  EXPECT_EQ(codes([](auto& f) { f.wal_bytes_per_s_trend.reset(); }), Lines{"standby-behind"});
  const Change only_replay = [](ReplicationFacts& f) {
    f.senders[0].flush = kEnd;
    f.slots[0].retained_bytes = 0;
    f.wal_bytes_per_s = 0.5 * kMegabyte;
    f.watched_peers[0].replay_bytes_per_s = 0;
    f.watched_peers[0].slot_bytes_per_s = 0.1 * kMegabyte;
  };
  EXPECT_EQ(codes(only_replay), Lines{"standby-behind"}) << "paused, delayed or slow: the slot keeps nothing";
}

TEST(Replication, DeadRowsThatASlotKeeps) {
  const auto verdict = [](std::int64_t age, int pid) {
    ReplicationFacts facts = Primary();
    facts.slots[0].xmin_age = age;
    facts.slots[0].active_pid = pid;
    for (const Reason& reason : JudgeReplication(facts, kLimits).AllReasons()) {
      if (reason.code == "slot-xmin-age") return ToString(reason.verdict) + " " + reason.sentence;
    }
    return std::string("ok");
  };
  const std::string kept = " slot db_replica keeps VACUUM from removing the dead rows of the last ";
  EXPECT_EQ(verdict(9'999'999, 100), "ok");
  EXPECT_EQ(verdict(10'000'000, 100), "warning" + kept + "10000000 transactions");
  ReplicationFacts gone = Primary();
  gone.senders.clear();
  gone.watched_peers[0].connected = false;
  gone.slots[0].active_pid = 0;
  gone.slots[0].xmin_age = 99'999;
  EXPECT_EQ(JudgeReplication(gone, kLimits).AllReasons().size(), 1U);
  gone.slots[0].xmin_age = 100'000;
  EXPECT_EQ(JudgeReplication(gone, kLimits).AllReasons().at(1).sentence, kept.substr(1) + "100000 transactions");
  EXPECT_EQ(verdict(100'000'000, 100), "critical" + kept + "100000000 transactions");
}

TEST(Replication, TheDiskOfWal) {
  const std::string left = "  warning disk-nearly-full: the disk of pg_wal has 900 MB left, less than max_wal_size ";
  const auto missing = [](ReplicationFacts& f) {
    f.wal_disk = {.free_bytes = 36000 * kMegabyte, .max_wal_bytes = 1024 * kMegabyte};
    f.wal_bytes_per_s_trend = 1.0 * kMegabyte;
    f.senders.clear();
    f.slots[0].active_pid = 0;
    f.watched_peers[0].connected = false;
    f.watched_peers[0].missing_since = kNow - 119;
  };
  const Lines is_missing = {"warning db-replica: missing since 2026-05-28T20:24:41Z, slot db_replica keeps 16 MB",
                            "  warning standby-missing: db-replica is not connected, missing for 119 s"};
  const auto with = [](Lines lines, const Lines& more) {
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
  };
  Check(Primary(),
        {{"enough",
          [](auto& f) { f.wal_disk = {.free_bytes = 1024 * kMegabyte, .max_wal_bytes = 1024 * kMegabyte}; },
          {kHealthy}},
         {"less than WAL may take",
          [](auto& f) { f.wal_disk = {.free_bytes = 900 * kMegabyte, .max_wal_bytes = 1024 * kMegabyte}; },
          {kHealthy, "node", left + "(1.0 GB): the server stops when it is full"}},
         {"next to nothing",
          [](auto& f) { f.wal_disk = {.free_bytes = 63 * kMegabyte, .max_wal_bytes = 1024 * kMegabyte}; },
          {kHealthy, "node",
           "  critical disk-nearly-full: the disk of pg_wal has 63 MB left, less than max_wal_size (1.0 GB): the "
           "server stops when it is full"}},
         {"a slot without bound", missing,
          with(is_missing, {"node",
                            "  warning disk-filling: pg_wal fills its disk in about 10 h (35 GB left), as slot "
                            "db_replica keeps WAL"})},
         {"a slot with a bound above the free space",
          [&](auto& f) {
            missing(f);
            f.slots[0].safe_bytes = 99000 * kMegabyte;
            f.wal_bytes_per_s_trend = 20.0 * kMegabyte;
          },
          with(is_missing,
               {"  warning slot-at-risk: slot db_replica will lose WAL in about 82 min (97 GB left)", "node",
                "  critical disk-filling: pg_wal fills its disk in about 30 min (35 GB left), as slot db_replica "
                "keeps WAL"})},
         {"a slot with a bound below it",
          [&](auto& f) {
            missing(f);
            f.slots[0].safe_bytes = 30000 * kMegabyte;
            f.wal_bytes_per_s_trend = 0.1 * kMegabyte;
          },
          is_missing},
         {"an archiver that fails",
          [&](auto& f) {
            f.wal_disk = {.free_bytes = 36000 * kMegabyte};
            f.wal_bytes_per_s_trend = 1.0 * kMegabyte;
            f.archiver = {.failing = true, .failed_file = "A1", .failed_count = 3, .last_success = kNow - 3599};
          },
          {kHealthy, "node",
           "  warning disk-filling: pg_wal fills its disk in about 10 h (35 GB left), as WAL is not archived",
           "  warning archive-failing: WAL file A1 cannot be archived (3 failures, last success 59 min ago)"}}});
}

TEST(Replication, WalThatIsNotArchived) {
  const auto failing = [](std::optional<UtcSeconds> success) {
    return Judged(Primary(),
                  [&](auto& f) {
                    f.archiver = {.failing = true, .failed_file = "A1", .failed_count = 9, .last_success = success};
                  })
        .at(2);
  };
  EXPECT_EQ(failing(kNow - 3600),
            "  critical archive-failing: WAL file A1 cannot be archived (9 failures, last success 60 min ago)");
  EXPECT_EQ(failing(std::nullopt),
            "  critical archive-failing: WAL file A1 cannot be archived (9 failures, no success)");
}

TEST(Replication, CommitsThatWaitForAStandby) {
  const std::string waits = "  critical sync-standby-missing: commits wait: 0 of 1 synchronous standbys are connected";
  Check(Primary(),
        {{"one that is asynchronous", [](auto& f) { f.sync_standbys_wanted = 1; }, {kHealthy, "node", waits}},
         {"one that is synchronous",
          [](auto& f) {
            f.sync_standbys_wanted = 1;
            f.senders[0].sync_state = "sync";
          },
          {kHealthy}},
         {"one of a quorum",
          [](auto& f) {
            f.sync_standbys_wanted = 1;
            f.senders[0].sync_state = "quorum";
          },
          {kHealthy}}});
  EXPECT_EQ(Judged(Standby(), [](auto& f) { f.sync_standbys_wanted = 1; }).size(), 1U);
}

/// As pg_receivewal shows itself.
void AddReceiver(ReplicationFacts& f, const std::string& sync_state = "async") {
  WalSenderFacts receiver = Sender(300, "mfi recovery");
  receiver.replay = 0;
  receiver.sync_state = sync_state;
  f.senders.push_back(receiver);
  f.slots.push_back(Slot("mfi_recovery", 300));
}

TEST(Replication, TheReceiverOfItsOwnWalIsNoStandby) {
  const auto alone = [](ReplicationFacts& f) {
    f.senders.clear();
    f.slots.clear();
    f.watched_peers.clear();
  };
  Check(Primary(),
        {{"it receives", [](auto& f) { AddReceiver(f); }, {kHealthy}},
         {"without a standby",
          [&](auto& f) {
            alone(f);
            AddReceiver(f);
          },
          {}},
         {"it does not receive, and its slot is lost",
          [&](auto& f) {
            alone(f);
            f.slots = {Slot("mfi_recovery", 0)};
            f.slots[0].wal_status = "lost";
          },
          {}},
         {"the watcher had taken it for one",
          [&](auto& f) {
            alone(f);
            f.watched_peers = {{.name = "mfi recovery", .slot_name = "mfi_recovery", .missing_since = 5}};
          },
          {}},
         {"it does not receive, and the disk fills",
          [&](auto& f) {
            alone(f);
            f.slots = {Slot("mfi_recovery", 0)};
            f.slots[0].retained_bytes = 200 * kMegabyte;
            f.wal_disk = {.free_bytes = 2048 * kMegabyte, .max_wal_bytes = 1024 * kMegabyte};
            f.wal_bytes_per_s_trend = 1e5;
          },
          {"node",
           "  warning disk-filling: pg_wal fills its disk in about 5 h (2.0 GB left), as slot mfi_recovery keeps "
           "WAL"}},
         {"its slot can fill the disk like any",
          [&](auto& f) {
            alone(f);
            AddReceiver(f);
            f.slots_unbounded = true;
          },
          {"node", "  warning slots-unbounded: max_slot_wal_keep_size = -1 lets slot mfi_recovery fill the disk"}}});
  const auto of_standby = [](ReplicationFacts& f) { AddReceiver(f); };
  EXPECT_EQ(Judged(Standby(), of_standby), Judged(Standby(), [](auto&) {}));
}

TEST(Replication, AReceiverThatConfirmsCommits) {
  const std::string told =
      "  warning recovery-receiver-synchronous: the receiver of recovery on this node, \"mfi recovery\", counts as a "
      "synchronous standby (sync), so a commit may be confirmed that no other node has";
  ReplicationFacts facts = Primary();
  facts.sync_standbys_wanted = 1;
  AddReceiver(facts, "sync");
  EXPECT_EQ(Judged(facts, [](auto&) {}), (Lines{kHealthy, "node", told}));
  EXPECT_EQ(JudgeReplication(facts, kLimits).node_reasons[0].next_step,
            "Name the standbys instead of '*': ALTER SYSTEM SET synchronous_standby_names = '\"db-replica\"'; SELECT "
            "pg_reload_conf().");
}

TEST(Replication, WhatTheOtherNodeSaysOfItself) {
  const auto probed = [](ReplicationFacts& f) {
    f.system_identifier = "7";
    f.probe = {.configured = true, .in_recovery = true, .timeline = 1, .system_identifier = "7", .seen_ago_s = 1};
  };
  const auto node = [&](const ReplicationFacts& facts, const Change& change) {
    const Lines lines = Judged(facts, [&](auto& f) {
      probed(f);
      change(f);
    });
    return lines.back();
  };
  EXPECT_EQ(node(Primary(), [](auto&) {}), kHealthy);
  EXPECT_EQ(node(Primary(), [](auto& f) { f.probe.in_recovery = false; }),
            "  critical two-primaries: both nodes are primaries: this one on timeline 1, the other on timeline 1");
  EXPECT_EQ(node(Primary(), [](auto& f) { f.probe.system_identifier = "8"; }),
            "  warning peer-foreign: the server of mfi.peer_conninfo is another database cluster (system 8, not 7)");
  EXPECT_EQ(node(Primary(),
                 [](auto& f) {
                   f.probe.error = "refused";
                   f.probe.in_recovery = false;
                   f.probe.seen_ago_s = 59;
                 }),
            kHealthy);
  const std::string unreachable = "  warning peer-unreachable: the server of mfi.peer_conninfo has not answered for ";
  const std::string noticed = ", so a second primary would not be noticed";
  EXPECT_EQ(node(Primary(),
                 [](auto& f) {
                   f.probe.error = "refused";
                   f.probe.seen_ago_s = 60;
                 }),
            unreachable + "60 s: refused" + noticed);
  EXPECT_EQ(node(Primary(),
                 [](auto& f) {
                   f.probe.seen_ago_s.reset();
                   f.probe.tried_for_s = 61;
                 }),
            unreachable + "61 s: no attempt was made" + noticed);
  EXPECT_EQ(node(Primary(),
                 [](auto& f) {
                   f.probe.error = "channel binding required, but server authenticated client without channel binding";
                   f.probe.in_recovery = false;
                   f.probe.seen_ago_s = 60;
                 }),
            "  warning peer-unauthenticated: a server answers at mfi.peer_conninfo, but for 60 s it could not be shown "
            "to be the "
            "other node: channel binding required, but server authenticated client without channel binding; it is not "
            "believed, "
            "so a second primary would not be noticed");
  EXPECT_EQ(node(Standby(),
                 [](auto& f) {
                   f.receiver.running = false;
                   f.receiver.silent_for_s = 60;
                 }),
            "  critical no-primary: both nodes are standbys: nobody takes writes");
  EXPECT_EQ(node(Standby(), [](auto& f) { f.probe.in_recovery = false; }),
            "ok db-primary:5432: streaming, 0 bytes behind, heard 3 s ago");
}

TEST(Replication, TheNextStepOfTwoPrimariesNamesTheOneToStop) {
  ReplicationFacts facts = Primary();
  facts.probe = {.configured = true, .timeline = 2, .seen_ago_s = 1};
  EXPECT_NE(JudgeReplication(facts, kLimits).AllReasons().at(0).next_step.find("stop this one"), std::string::npos);
  facts.timeline = 3;
  EXPECT_NE(JudgeReplication(facts, kLimits).AllReasons().at(0).next_step.find("stop the other one"),
            std::string::npos);
}

TEST(ClockSkew, TwoMessagesMustAgree) {
  ClockSkew skew{};
  skew.Add(-30);  // held up on its way
  EXPECT_EQ(skew.skew_s, 0);
  skew.Add(0);
  EXPECT_EQ(skew.skew_s, 0);
  skew.Add(12);
  EXPECT_EQ(skew.skew_s, 0);
  skew.Add(11);
  EXPECT_EQ(skew.skew_s, 11);
  skew.Add(12);
  EXPECT_EQ(skew.skew_s, 11);
  skew.Add(-12);
  EXPECT_EQ(skew.skew_s, 0);
}

TEST(SmoothRate, IsTheMeanAtFirstAndForgetsLater) {
  SmoothRate rate{};
  EXPECT_EQ(rate.Known(), std::nullopt);
  rate.Add(5, 0, 10);
  EXPECT_EQ(rate.Known(), std::nullopt);
  rate.Add(10, 1, 10);
  rate.Add(20, 1, 10);
  EXPECT_EQ(rate.Known(), 15.0);
  EXPECT_EQ(rate.Known(2), 15.0);
  EXPECT_EQ(rate.Known(2.1), std::nullopt);
  for (int i = 0; i < 200; ++i) rate.Add(0, 1, 10);
  EXPECT_LT(*rate.Known(), 0.001);
  rate.Add(4000, 20, 10);
  EXPECT_EQ(rate.Known(), 200.0) << "a look after a long time counts for all of it";
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

TEST(Replication, TheRestOfASwitchedFileIsNotAheadOfItsEnd) {
  constexpr Lsn kFile = 16 * kMegabyte;
  constexpr Lsn kBegin = 7 * kFile;
  EXPECT_EQ(ReplayedOf(kBegin - 100, kBegin, kFile), kBegin - 100);
  EXPECT_EQ(ReplayedOf(kBegin - kFile + 1, kBegin, kFile), kBegin - kFile + 1);
  EXPECT_EQ(ReplayedOf(kBegin, kBegin, kFile), kBegin) << "at one";
  EXPECT_EQ(ReplayedOf(kBegin + 5, kBegin, kFile), kBegin) << "behind";
  EXPECT_EQ(ReplayedOf(kBegin - 100, kBegin - 1, kFile), kBegin - 1) << "ahead within a file: diverged";
  EXPECT_EQ(ReplayedOf(kBegin - 100, kBegin + 1, kFile), kBegin + 1) << "ahead in the next file: diverged";
  EXPECT_EQ(ReplayedOf(kBegin - kFile, kBegin, kFile), kBegin) << "a whole file ahead: diverged";
}

TEST(Replication, LsnsAreWrittenAsPostgresDoes) {
  EXPECT_EQ(FormatLsn(0), "0/0");
  EXPECT_EQ(FormatLsn(0x16'B374'D848), "16/B374D848");
  EXPECT_EQ(FormatLsn(~Lsn{0}), "FFFFFFFF/FFFFFFFF");
}

}  // namespace
