// Fifty random clusters, simulated second by second: a primary that writes or idles, and standbys of all kinds that the
// field knows. What the judge must say of each kind, on the primary and on the standby, is written by hand; of a
// cluster it must say what its standbys' kinds say together, and nothing else.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "core/base/smooth_rate.h"
#include "core/replication/peer_identity.h"
#include "core/replication/replication.h"

namespace {

using namespace mfi::core;
using Codes = std::set<std::string>;

constexpr std::int64_t kMegabyte = 1024 * 1024;
constexpr Lsn kBegin = 0x16'0000'0000;
constexpr UtcSeconds kNow = 1'780'000'000;
constexpr int kSeconds = 900;
constexpr int kLook = 5;  // seconds between two looks
constexpr ReplicationLimits kLimits{.lag_warning_bytes = 64 * kMegabyte,
                                    .lag_critical_bytes = 4096 * kMegabyte,
                                    .silence_warning_s = 45,
                                    .silence_critical_s = 180};

enum class Way { kStream, kFiles, kLogical, kReceiveWal, kBaseBackup };

/// A kind of standby, and what is to be said of it: where WAL is written (0.5 MB a second) and where all is idle.
struct Kind {
  const char* name;
  Way way = Way::kStream;
  bool slot = true;
  double receives = 1;    // of what is written
  double replays = 1;     // of what is received
  int gone_after = -1;    // second in which it ends
  int silent_after = -1;  // second from which it says and does nothing, and stays connected
  int back_after = -1;    // second in which it comes anew, beside its old walsender, which ends a minute later
  int silence_s = 10;     // between two of its replies
  double timeout_s = 60;  // of the link; 0: none
  bool paused = false;
  bool delayed = false;
  bool low_setting = false;
  std::int64_t safe_bytes = 0;  // of its slot; 0: without bound
  Codes primary_busy;           // said on the primary while WAL is written
  Codes primary_idle;
  Codes standby_busy;  // said on the standby itself
  Codes standby_idle;
};

const std::vector<Kind> kKinds = {
    {.name = "healthy, with a slot"},
    {.name = "healthy, without a slot", .slot = false},
    {.name = "replay paused",
     .replays = 0,
     .paused = true,
     .safe_bytes = 2048 * kMegabyte,
     .primary_busy = {"standby-behind"},
     .standby_busy = {"replay-paused", "replay-behind"},
     .standby_idle = {"replay-paused"}},
    {.name = "delayed on purpose",
     .replays = 0,
     .delayed = true,
     .safe_bytes = 2048 * kMegabyte,
     .primary_busy = {"standby-behind"}},
    {.name = "replay slower than writes",
     .replays = 0.4,
     .safe_bytes = 2048 * kMegabyte,
     .primary_busy = {"standby-behind"},
     .standby_busy = {"replay-behind"}},
    {.name = "a line slower than writes",
     .receives = 0.4,
     .safe_bytes = 2048 * kMegabyte,
     .primary_busy = {"standby-behind", "slot-at-risk"},
     .standby_busy = {"replay-behind"}},
    {.name = "set lower than the primary",
     .replays = 0,
     .paused = true,
     .low_setting = true,
     .safe_bytes = 2048 * kMegabyte,
     .primary_busy = {"standby-behind"},
     .primary_idle = {},
     .standby_busy = {"standby-settings-low", "replay-behind"},
     .standby_idle = {"standby-settings-low"}},
    {.name = "gone, with a slot",
     .gone_after = 300,
     .primary_busy = {"standby-missing"},
     .primary_idle = {"standby-missing"},
     .standby_busy = {"upstream-lost"},
     .standby_idle = {"upstream-lost"}},
    {.name = "gone, with a slot of little room",
     .gone_after = 300,
     .safe_bytes = 1024 * kMegabyte,
     .primary_busy = {"standby-missing", "slot-at-risk"},
     .primary_idle = {"standby-missing"},
     .standby_busy = {"upstream-lost"},
     .standby_idle = {"upstream-lost"}},
    {.name = "gone, without a slot",
     .slot = false,
     .gone_after = 300,
     .primary_busy = {"standby-missing"},
     .primary_idle = {"standby-missing"},
     .standby_busy = {"upstream-lost"},
     .standby_idle = {"upstream-lost"}},
    {.name = "frozen",
     .silent_after = 500,
     .primary_busy = {"standby-silent", "standby-behind"},
     .primary_idle = {"standby-silent"},
     .standby_busy = {"upstream-silent"},
     .standby_idle = {"upstream-silent"}},
    {.name = "fed by files alone", .way = Way::kFiles, .slot = false},
    {.name = "a logical subscriber", .way = Way::kLogical},
    {.name = "pg_receivewal with a slot", .way = Way::kReceiveWal},
    {.name = "pg_receivewal without a slot", .way = Way::kReceiveWal, .slot = false},
    {.name = "a base backup", .way = Way::kBaseBackup, .slot = false},
    {.name = "a link with long time-outs, idle for minutes", .silence_s = 290, .timeout_s = 600},
    {.name = "a link with short time-outs", .silence_s = 1, .timeout_s = 6},
    {.name = "back beside its old walsender", .slot = false, .back_after = 700},
};

/// A standby in the simulation.
struct Standby {
  const Kind* kind = nullptr;
  std::string name;
  std::string address;
  int pid = 0;
  int old_pid = 0;  // of the connection it had before
  double received = 0;
  double replayed = 0;
  double kept_from = 0;
  int heard_at = 0;      // by its primary
  int old_heard_at = 0;  // on its old connection
  int upstream_heard_at = 0;
  int moved_at = 0;
  SmoothRate slot_rate{};
};

bool Alive(const Standby& s, int at) { return s.kind->gone_after < 0 || at < s.kind->gone_after; }
bool Speaks(const Standby& s, int at) {
  return Alive(s, at) && (s.kind->silent_after < 0 || at < s.kind->silent_after);
}

class Cluster {
 public:
  explicit Cluster(double megabytes_per_s) : rate_(megabytes_per_s * static_cast<double>(kMegabyte)) {}

  Standby& Add(const Kind& kind, const std::string& name, const std::string& address) {
    Standby& s = standbys_.emplace_back();
    s.kind = &kind;
    s.name = name;
    s.address = address;
    s.pid = ++last_pid_;
    return s;
  }

  void Run() {
    for (int at = 1; at <= kSeconds; ++at) {
      written_ += rate_;
      for (Standby& s : standbys_) Live(s, at);
      if (at % kLook == 0) Look(at);
    }
  }

  ReplicationFacts Primary() const {
    ReplicationFacts f;
    f.timeline = 1;
    f.now = kNow;
    f.watched = true;
    f.current = f.written = At(written_);
    f.wal_bytes_per_s = f.wal_bytes_per_s_trend = rate_;
    double longest = 0;
    bool endless = false;
    for (const Standby& s : standbys_) {
      longest = std::max(longest, s.kind->timeout_s / 2);
      endless = endless || s.kind->timeout_s == 0;
      AddSenders(f, s);
      if (s.kind->slot) f.slots.push_back(Slot(s));
    }
    f.standby_bound = {.seconds = longest <= 30 ? 10 : longest, .setting = "wal_sender_timeout"};
    if (endless) f.standby_bound.seconds.reset();
    for (const KnownPeer& p : known_) {
      WatchedPeer w{};
      w.name = p.name;
      w.slot_name = p.slot_name;
      w.address = p.address;
      w.connected = p.connected;
      w.walsender_pid = p.pid;
      w.beside = p.beside;
      if (p.connected) {
        w.silent_for_s = kSeconds - static_cast<double>(p.heard_at_us) / 1e6;
        for (const Standby& s : standbys_) {
          if (s.pid == p.pid) w.slot_bytes_per_s = s.slot_rate.Known(60);
        }
      } else {
        w.missing_since = kNow - kSeconds + missing_at_.at(p.pid);
      }
      f.watched_peers.push_back(w);
    }
    return f;
  }

  static Lsn At(double bytes) { return kBegin + static_cast<Lsn>(bytes); }

  ReplicationFacts Of(const Standby& s) const {
    ReplicationFacts f;
    f.in_recovery = true;
    f.timeline = 1;
    f.now = kNow;
    f.watched = true;
    f.current = At(s.replayed);
    f.written = At(s.received);
    f.wal_bytes_per_s = f.wal_bytes_per_s_trend = rate_;
    f.replay_paused = s.kind->paused;
    f.replay_delayed = s.kind->delayed;
    if (s.kind->low_setting) f.low_settings = {{.name = "max_connections", .here = 50, .least = 100}};
    f.replay_stands_for_s = kSeconds - s.moved_at;
    f.upstream_bound = {.seconds = s.kind->timeout_s / 2, .setting = "wal_receiver_timeout"};
    f.receiver = {.wanted = s.kind->way == Way::kStream,
                  .running = s.kind->way == Way::kStream && Alive(s, kSeconds),
                  .state = "streaming",
                  .name = "db-primary:5432",
                  .flushed = At(s.received),
                  .upstream_end = At(Alive(s, kSeconds) && s.kind->silent_after < 0 ? written_ : s.received),
                  .silent_for_s = kSeconds - s.upstream_heard_at};
    return f;
  }

  const std::vector<Standby>& Standbys() const { return standbys_; }
  void Reserve(std::size_t count) { standbys_.reserve(count); }

 private:
  void Live(Standby& s, int at) {
    if (at == s.kind->back_after) {
      s.old_pid = s.pid;
      s.old_heard_at = s.heard_at;
      s.pid = ++last_pid_;
      s.heard_at = at;
    }
    if (!Speaks(s, at)) return;
    const double before = s.replayed;
    s.received += rate_ * s.kind->receives;
    s.replayed += rate_ * s.kind->receives * s.kind->replays;
    if (s.replayed > before) s.moved_at = at;
    if (s.kind->way == Way::kLogical || s.kind->slot) s.kept_from = s.received;
    if (rate_ > 0 || at % s.kind->silence_s == 0) s.heard_at = at;
    if (rate_ > 0 || at % std::max(1, static_cast<int>(s.kind->timeout_s / 2)) == 0) s.upstream_heard_at = at;
  }

  static bool IsOldThere(const Standby& s, int at) { return s.old_pid != 0 && at < s.kind->back_after + 60; }

  bool Counts(const Standby& s) const {
    if (s.kind->way == Way::kStream) return true;
    return s.kind->way == Way::kReceiveWal && s.kind->slot;
  }

  std::string SlotName(const Standby& s) const { return s.kind->slot ? "slot_" + s.name + s.address.substr(5) : ""; }

  /// What the watcher does.
  void Look(int at) {
    std::vector<Connection> there;
    std::vector<int> heard;
    const auto add = [&](const Standby& s, int pid, int heard_at) {
      there.push_back({.pid = pid, .name = s.name, .slot_name = SlotName(s), .address = s.address});
      heard.push_back(heard_at);
    };
    for (Standby& s : standbys_) {
      if (!Counts(s)) continue;
      if (Alive(s, at)) add(s, s.pid, s.heard_at);
      if (IsOldThere(s, at)) add(s, s.old_pid, s.old_heard_at);
      if (s.kind->slot) s.slot_rate.Add(s.kept_from - looked_[&s], kLook, 600);
      looked_[&s] = s.kept_from;
    }
    for (KnownPeer& p : known_) p.was_missing = !p.connected;
    const std::vector<int> found = Recognize(known_, there);
    const std::vector<KnownPeer> before = known_;
    for (KnownPeer& p : known_) p.connected = false;
    for (std::size_t i = 0; i < there.size(); ++i) {
      KnownPeer fresh{.name = there[i].name, .slot_name = there[i].slot_name, .address = there[i].address};
      if (found[i] < 0) {
        for (const KnownPeer& p : before) fresh.beside = fresh.beside || (p.connected && AreAlike(p, fresh));
        known_.push_back(fresh);
      }
      KnownPeer& p = found[i] < 0 ? known_.back() : known_[found[i]];
      if (p.pid != there[i].pid) p.came_at_us = at * std::int64_t{1000000};
      p.pid = there[i].pid;
      p.connected = true;
      p.was_missing = false;
      p.heard_at_us = heard[i] * std::int64_t{1000000};
    }
    const std::vector<bool> old_ones = OldConnections(known_, at * std::int64_t{1000000}, 15000000);
    std::vector<KnownPeer> kept;
    for (std::size_t i = 0; i < known_.size(); ++i) {
      if (old_ones[i]) continue;
      if (!known_[i].connected) missing_at_.try_emplace(known_[i].pid, at);
      kept.push_back(known_[i]);
    }
    known_ = kept;
  }

  void AddSenders(ReplicationFacts& f, const Standby& s) const {
    if (s.kind->way == Way::kFiles) return;
    WalSenderFacts sender;
    sender.pid = s.pid;
    sender.application_name = s.name;
    sender.address = s.address;
    sender.state = s.kind->way == Way::kBaseBackup ? "backup" : "streaming";
    sender.sync_state = "async";
    sender.logical = s.kind->way == Way::kLogical;
    sender.sent = sender.write = sender.flush = At(s.received);
    sender.replay = s.kind->way == Way::kStream || s.kind->way == Way::kLogical ? At(s.replayed) : 0;
    if (s.kind->way == Way::kBaseBackup) sender.sent = sender.write = sender.flush = 0;
    if (Alive(s, kSeconds)) f.senders.push_back(sender);
  }

  SlotFacts Slot(const Standby& s) const {
    SlotFacts slot;
    slot.name = SlotName(s);
    slot.active_pid = Alive(s, kSeconds) ? s.pid : 0;
    slot.logical = s.kind->way == Way::kLogical;
    slot.wal_status = "reserved";
    slot.retained_bytes = static_cast<std::int64_t>(written_ - s.kept_from);
    if (s.kind->safe_bytes != 0) slot.safe_bytes = s.kind->safe_bytes - *slot.retained_bytes;
    return slot;
  }

  double rate_;
  double written_ = 0;
  int last_pid_ = 100;
  std::vector<Standby> standbys_;
  std::vector<KnownPeer> known_;
  std::map<int, int> missing_at_;
  std::map<const Standby*, double> looked_;
};

Codes Said(const ReplicationFacts& facts, const ReplicationLimits& limits = kLimits) {
  Codes codes;
  for (const Reason& reason : JudgeReplication(facts, limits).AllReasons()) codes.insert(reason.code);
  return codes;
}

void CheckStandbys(const Cluster& cluster, bool busy) {
  for (const Standby& s : cluster.Standbys()) {
    if (s.kind->way != Way::kStream && s.kind->way != Way::kFiles) continue;
    EXPECT_EQ(Said(cluster.Of(s)), busy ? s.kind->standby_busy : s.kind->standby_idle) << s.kind->name;
  }
}

TEST(Topologies, EachKindAlone) {
  for (const Kind& kind : kKinds) {
    for (const bool busy : {true, false}) {
      Cluster cluster(busy ? 0.5 : 0);
      cluster.Reserve(1);
      cluster.Add(kind, "db-replica", "10.0.0.2");
      cluster.Run();
      EXPECT_EQ(Said(cluster.Primary()), busy ? kind.primary_busy : kind.primary_idle) << kind.name << busy;
      CheckStandbys(cluster, busy);
    }
  }
}

TEST(Topologies, FiftyRandomOnes) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    const bool busy = random() % 2 == 0;
    const std::size_t count = seed == 50 ? 100 : 1 + random() % 6;
    Cluster cluster(busy ? 0.5 : 0);
    cluster.Reserve(count);
    Codes expected;
    std::map<std::string, int> alike;
    std::string kinds;
    // A time-out belongs to the primary: one that is long makes all silence allowed for so long.
    const bool long_links = random() % 4 == 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Kind* kind = nullptr;
      while (kind == nullptr || (kind->timeout_s > 60 && !long_links) || (kind->silent_after >= 0 && long_links)) {
        kind = &kKinds[random() % kKinds.size()];
      }
      // One old connection beside two of its name cannot be told from them.
      const std::string name = random() % 3 == 0 && kind->back_after < 0 ? "walreceiver" : "db-" + std::to_string(i);
      const Standby& s = cluster.Add(*kind, name, "10.0." + std::to_string(i) + ".2");
      const Codes& codes = busy ? kind->primary_busy : kind->primary_idle;
      expected.insert(codes.begin(), codes.end());
      if (kind->way == Way::kStream && !kind->slot) ++alike[s.name];
      kinds += std::string(kind->name) + "; ";
    }
    cluster.Run();
    const bool some_there = [&] {
      for (const Standby& s : cluster.Standbys()) {
        if (s.name == "walreceiver" && s.kind->way == Way::kStream && !s.kind->slot && Alive(s, kSeconds)) return true;
      }
      return false;
    }();
    if (alike["walreceiver"] > 1 && some_there) expected.insert("standbys-alike");
    EXPECT_EQ(Said(cluster.Primary()), expected) << "seed " << seed << (busy ? ", busy: " : ", idle: ") << kinds;
    CheckStandbys(cluster, busy);
  }
}

/// Of two alike, without slots, one goes: it is missed.
TEST(Topologies, OneOfTwoAlikeGoes) {
  const Kind healthy{.name = "healthy", .slot = false};
  const Kind gone{.name = "gone", .slot = false, .gone_after = 300};
  for (const bool gone_first : {true, false}) {
    for (const char* address : {"10.0.1.2", "10.0.0.2"}) {
      Cluster cluster(0);
      cluster.Reserve(2);
      cluster.Add(gone_first ? gone : healthy, "walreceiver", "10.0.0.2");
      cluster.Add(gone_first ? healthy : gone, "walreceiver", address);
      cluster.Run();
      EXPECT_EQ(Said(cluster.Primary()), (Codes{"standby-missing", "standbys-alike"}));
      EXPECT_EQ(JudgeReplication(cluster.Primary(), kLimits).expected, 2);
      EXPECT_EQ(JudgeReplication(cluster.Primary(), kLimits).connected, 1);
    }
  }
}

/// A name that is expected twice wants two standbys; one standby may be expected by its name and by its slot.
TEST(Topologies, ANameThatIsExpectedTwice) {
  const Kind healthy{.name = "healthy", .slot = false};
  Cluster cluster(0);
  cluster.Reserve(2);
  cluster.Add(healthy, "walreceiver", "10.0.0.2");
  cluster.Run();
  ReplicationFacts facts = cluster.Primary();
  facts.expected = {"walreceiver", "walreceiver"};
  EXPECT_EQ(Said(facts).count("standby-missing"), 1U);
  cluster.Add(healthy, "walreceiver", "10.0.0.3");
  cluster.Run();
  facts = cluster.Primary();
  facts.expected = {"walreceiver", "walreceiver"};
  EXPECT_EQ(Said(facts), Codes{"standbys-alike"});
}

/// p → b → c: what c has received counts against what b has received, whatever b has replayed.
TEST(Topologies, BehindAStandbyThatDoesNotReplay) {
  for (const bool delayed : {true, false}) {
    const Kind kind{.name = "b", .replays = 0, .paused = !delayed, .delayed = delayed};
    Cluster cluster(0.5);
    cluster.Reserve(1);
    const Standby& b = cluster.Add(kind, "b", "10.0.0.2");
    cluster.Run();
    ReplicationFacts facts = cluster.Of(b);
    WalSenderFacts c;
    c.pid = 7;
    c.application_name = "c";
    c.state = "streaming";
    c.sync_state = "async";
    c.sent = c.write = c.flush = c.replay = facts.written;
    facts.senders = {c};
    WatchedPeer watched{};
    watched.name = "c";
    watched.connected = true;
    watched.walsender_pid = 7;
    watched.silent_for_s = 1;
    facts.watched_peers = {watched};
    EXPECT_EQ(Said(facts), delayed ? Codes{} : (Codes{"replay-paused", "replay-behind"}));
    facts.written -= 100;  // b was restarted and has not received again what c has
    EXPECT_EQ(Said(facts), delayed ? Codes{} : (Codes{"replay-paused", "replay-behind"}));
    facts.senders[0].replay = facts.current;
    EXPECT_EQ(Said(facts).count("standby-behind"), 1U) << "c stays behind what b has received";
  }
}

TEST(Topologies, FilesThatDoNotCome) {
  const Kind files{.name = "files", .way = Way::kFiles, .slot = false};
  Cluster cluster(0);
  cluster.Reserve(1);
  const Standby& s = cluster.Add(files, "archive-fed", "10.0.0.2");
  cluster.Run();
  ReplicationFacts facts = cluster.Of(s);
  facts.replay_stands_for_s = 3599;
  EXPECT_EQ(Said(facts), Codes{});
  facts.replay_stands_for_s = 3600;
  EXPECT_EQ(Said(facts), Codes{"archive-silent"});
  EXPECT_EQ(JudgeReplication(facts, kLimits).connected, 1);
  facts.replay_paused = true;
  EXPECT_EQ(Said(facts), Codes{"replay-paused"}) << "nothing is replayed, whatever comes";
}

TEST(Topologies, AStreamThatIsLostWhileFilesCome) {
  const Kind gone{.name = "gone", .gone_after = 300};
  Cluster cluster(0.5);
  cluster.Reserve(1);
  const Standby& s = cluster.Add(gone, "b", "10.0.0.2");
  cluster.Run();
  ReplicationFacts facts = cluster.Of(s);
  EXPECT_EQ(Worst(JudgeReplication(facts, kLimits).AllReasons()), Verdict::kCritical);
  facts.replay_stands_for_s = 20;
  const Reasons reasons = JudgeReplication(facts, kLimits).AllReasons();
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(reasons[0].verdict, Verdict::kWarning);
  EXPECT_NE(reasons[0].sentence.find("WAL comes from the archive alone"), std::string::npos);
}

TEST(Topologies, MoreStandbysThanAreWatched) {
  const Kind healthy{.name = "healthy"};
  Cluster cluster(0);
  cluster.Reserve(1);
  cluster.Add(healthy, "b", "10.0.0.2");
  cluster.Run();
  ReplicationFacts facts = cluster.Primary();
  facts.unwatched_standbys = 3;
  EXPECT_EQ(Said(facts), Codes{"cannot-know"});
}

/// The limits are never below what the link's own time-outs allow.
TEST(Topologies, SilenceThatTheLinkAllows) {
  struct Case {
    std::optional<double> bound_s;
    double silent_s;
    const char* verdict;
  };
  const std::vector<Case> cases = {{30, 44, "ok"},        {30, 45, "warning"},      {30, 179, "warning"},
                                   {30, 180, "critical"}, {300, 449, "ok"},         {300, 450, "warning"},
                                   {300, 749, "warning"}, {300, 750, "critical"},   {0.5, 44, "ok"},
                                   {0.5, 45, "warning"},  {std::nullopt, 44, "ok"}, {std::nullopt, 86400, "unknown"}};
  const Kind healthy{.name = "healthy"};
  Cluster cluster(0);
  cluster.Reserve(1);
  const Standby& s = cluster.Add(healthy, "b", "10.0.0.2");
  cluster.Run();
  for (const Case& c : cases) {
    ReplicationFacts standby = cluster.Of(s);
    standby.receiver.silent_for_s = c.silent_s;
    standby.upstream_bound.seconds = c.bound_s;
    EXPECT_EQ(ToString(Worst(JudgeReplication(standby, kLimits).AllReasons())), c.verdict) << c.silent_s;
    ReplicationFacts primary = cluster.Primary();
    primary.watched_peers[0].silent_for_s = c.silent_s;
    primary.standby_bound.seconds = c.bound_s;
    EXPECT_EQ(ToString(Worst(JudgeReplication(primary, kLimits).AllReasons())), c.verdict) << c.silent_s;
  }
}

/// Each setting by name, and never the advice that would end the server.
TEST(Topologies, SettingsLowerThanThePrimarys) {
  for (const char* name : {"max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions",
                           "max_locks_per_transaction"}) {
    const Kind kind{.name = "low", .replays = 0, .paused = true};
    Cluster cluster(0);
    cluster.Reserve(1);
    ReplicationFacts facts = cluster.Of(cluster.Add(kind, "b", "10.0.0.2"));
    facts.receiver.silent_for_s = 1;
    facts.low_settings = {{.name = name, .here = 5, .least = 10}};
    const Reasons reasons = JudgeReplication(facts, kLimits).AllReasons();
    ASSERT_EQ(reasons.size(), 1U);
    EXPECT_EQ(reasons[0].verdict, Verdict::kCritical);
    EXPECT_EQ(reasons[0].code, "standby-settings-low");
    EXPECT_NE(reasons[0].sentence.find(std::string("and it is in ") + name), std::string::npos);
    EXPECT_EQ(reasons[0].next_step.find("Set " + std::string(name) + " to at least 10 (it is 5) and restart"), 0U);
    EXPECT_NE(reasons[0].next_step.find("Do not resume"), std::string::npos);
  }
}

}  // namespace
