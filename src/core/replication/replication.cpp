#include "core/replication/replication.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iterator>

#include "core/base/timestamp.h"
#include "core/replication/replication_node.h"
#include "core/replication/replication_slot.h"

namespace mfi::core {
namespace {

constexpr char kRejoinStep[] =
    "It is on another timeline: stop it, and make it a standby with mfi rejoin (pg_rewind, or a clone).";

/// A healthy standby begins to stream at once.
constexpr int kStuckInStartup = 2;

/// Above this, times of the two nodes cannot be compared by eye.
constexpr double kClockSkewLimit = 5;

std::string Seconds(double seconds) { return FormatDuration(std::llround(seconds)); }

bool Matches(const std::string& wanted, const std::string& name, const std::string& slot_name) {
  return wanted == name || (!slot_name.empty() && wanted == slot_name);
}

class Judge {
 public:
  Judge(const ReplicationFacts& facts, const ReplicationLimits& limits) : facts_(facts), limits_(limits) {}

  ReplicationStatus Run() {
    if (facts_.in_recovery) Upstream();
    for (const WalSenderFacts& sender : facts_.senders) {
      if (IsStandby(sender)) Standby(sender);
    }
    const bool upstream_gone = facts_.in_recovery && !facts_.receiver.running;
    status_.connected = static_cast<int>(status_.peers.size()) - (upstream_gone ? 1 : 0);
    if (!facts_.in_recovery) {
      for (const WatchedPeer& peer : facts_.watched_peers) {
        if (!peer.connected || !HasSender(peer.walsender_pid)) {
          Missing(peer.name, peer.slot_name, peer.missing_since);
        }
      }
      for (const SlotFacts& slot : facts_.slots) {
        if (!slot.logical && !slot.temporary && slot.active_pid == 0) Missing(slot.name, slot.name, std::nullopt);
      }
      for (const std::string& name : facts_.expected) Missing(name, "", std::nullopt);
    }
    status_.expected = static_cast<int>(status_.peers.size());
    status_.node_reasons = JudgeOwnNode(facts_, limits_, status_);
    return std::move(status_);
  }

 private:
  static void Add(Reasons& reasons, Verdict verdict, const char* code, std::string sentence, std::string next_step) {
    reasons.push_back({verdict, code, std::move(sentence), std::move(next_step)});
  }

  static void Append(Reasons& reasons, Reasons more) {
    std::move(more.begin(), more.end(), std::back_inserter(reasons));
  }

  const SlotFacts* SlotOf(int pid) const {
    for (const SlotFacts& slot : facts_.slots) {
      if (slot.active_pid == pid && pid != 0) return &slot;
    }
    return nullptr;
  }

  const SlotFacts* SlotNamed(const std::string& name) const {
    for (const SlotFacts& slot : facts_.slots) {
      if (slot.name == name && !name.empty()) return &slot;
    }
    return nullptr;
  }

  const WatchedPeer* WatchedAs(int pid) const {
    for (const WatchedPeer& peer : facts_.watched_peers) {
      if (peer.connected && peer.walsender_pid == pid) return &peer;
    }
    return nullptr;
  }

  bool HasSender(int pid) const {
    return std::any_of(facts_.senders.begin(), facts_.senders.end(),
                       [&](const WalSenderFacts& sender) { return sender.pid == pid; });
  }

  /// A standby reports what it has replayed; a base backup or pg_receivewal never does, and counts only when it keeps
  /// WAL by a slot that outlives it.
  bool IsStandby(const WalSenderFacts& sender) const {
    const SlotFacts* slot = SlotOf(sender.pid);
    return !sender.logical && (sender.replay != 0 || (slot != nullptr && !slot->temporary));
  }

  void Standby(const WalSenderFacts& sender) {
    PeerStatus p;
    const SlotFacts* slot = SlotOf(sender.pid);
    if (slot != nullptr) Fill(p, *slot);
    p.peer = PeerName(sender.application_name, p.slot_name);
    p.state = sender.state;
    p.sync_state = sender.sync_state;
    p.sent = sender.sent;
    p.write = sender.write;
    p.flush = sender.flush;
    p.replay = sender.replay;
    p.write_lag_us = sender.write_lag_us;
    p.flush_lag_us = sender.flush_lag_us;
    p.replay_lag_us = sender.replay_lag_us;
    // What only receives WAL (pg_receivewal) never replays: its flush position counts.
    const Lsn reached = sender.replay != 0 ? sender.replay : sender.flush;
    if (reached != 0 && facts_.current != 0) p.lag_bytes = static_cast<std::int64_t>(facts_.current - reached);
    if (const WatchedPeer* watched = WatchedAs(sender.pid)) {
      p.silent_for_s = watched->silent_for_s;
      CatchUp(p, watched->replay_bytes_per_s);
      JudgeClock(p, watched->clock_skew_s);
    }
    const WatchedPeer* seen = WatchedAs(sender.pid);
    if (sender.state == "startup" && seen != nullptr && seen->looks_in_startup >= kStuckInStartup) {
      Add(p.reasons, Verdict::kCritical, "standby-diverged",
          p.peer + " is connected but cannot stream: it has WAL that this node's timeline does not have", kRejoinStep);
    } else if (sender.state != "streaming") {
      Add(p.reasons, Verdict::kWarning, "standby-not-streaming", p.peer + " is in state " + sender.state,
          "Wait for it to catch up; if it stays so, read the standby's log.");
    }
    JudgeLag(p, "standby-behind", p.peer);
    // One that the launcher has not looked at yet has only just connected.
    if (p.silent_for_s || !facts_.watched || facts_.not_looked_for_s) JudgeSilence(p, "standby-silent", p.peer, false);
    if (slot != nullptr) Append(p.reasons, JudgeSlot(*slot, p.never_catches_up, facts_));
    Summarise(p);
    status_.peers.push_back(std::move(p));
  }

  void CatchUp(PeerStatus& p, const std::optional<double>& replay_rate) const {
    if (p.lag_bytes.value_or(0) <= 0 || !replay_rate || !facts_.wal_bytes_per_s) return;
    const double gain = *replay_rate - *facts_.wal_bytes_per_s;
    if (gain > 0) {
      p.catchup_eta_s = static_cast<double>(*p.lag_bytes) / gain;
    } else {
      // A short way behind, replay and writing alternate: neither figure says anything yet.
      p.never_catches_up = *p.lag_bytes >= limits_.lag_warning_bytes;
    }
  }

  static void JudgeClock(PeerStatus& p, const std::optional<double>& skew_s) {
    if (!skew_s || std::abs(*skew_s) < kClockSkewLimit) return;
    Add(p.reasons, Verdict::kWarning, "clock-skew",
        "the clock of " + p.peer + " is " + Seconds(std::abs(*skew_s)) + (*skew_s > 0 ? " ahead of" : " behind") +
            " this node's",
        "Let both machines set their clocks by NTP (chrony or systemd-timesyncd).");
  }

  static void Fill(PeerStatus& p, const SlotFacts& slot) {
    p.slot_name = slot.name;
    p.slot_wal_status = slot.wal_status;
    p.slot_retained_bytes = slot.retained_bytes;
    p.slot_safe_bytes = slot.safe_bytes;
  }

  void Missing(const std::string& name, const std::string& slot_name, const std::optional<UtcSeconds>& since) {
    for (const PeerStatus& known : status_.peers) {
      if (Matches(name, known.peer, known.slot_name)) return;
      if (!slot_name.empty() && slot_name == known.slot_name) return;
    }
    PeerStatus p;
    p.slot_name = slot_name;
    if (const SlotFacts* slot = SlotNamed(slot_name)) Fill(p, *slot);
    p.peer = PeerName(name, slot_name);
    p.state = "missing";
    p.missing_since = since;
    const std::int64_t gone_for = since ? facts_.now - *since : 0;
    const bool long_gone = since && static_cast<double>(gone_for) >= limits_.silence_critical_s;
    const std::string sentence =
        p.peer + " is not connected" + (since ? ", missing for " + FormatDuration(gone_for) : "");
    Add(p.reasons, long_gone ? Verdict::kCritical : Verdict::kWarning, "standby-missing", sentence,
        "Start the standby or look at its log and its network; when it is gone for good, " +
            (p.slot_name.empty() ? "leave it out of mfi.expected_standbys ('none' expects no standby)."
                                 : "SELECT pg_drop_replication_slot('" + p.slot_name + "')."));
    const bool no_reconnect = static_cast<double>(gone_for) >= limits_.silence_warning_s;
    if (const SlotFacts* slot = SlotNamed(slot_name)) Append(p.reasons, JudgeSlot(*slot, no_reconnect, facts_));
    Summarise(p);
    status_.peers.push_back(std::move(p));
  }

  void Upstream() {
    const ReceiverFacts& r = facts_.receiver;
    PeerStatus p;
    p.peer = r.name;
    p.state = r.running ? r.state : "disconnected";
    p.flush = r.flushed;
    p.replay = facts_.current;
    p.slot_name = r.slot_name;
    p.silent_for_s = r.silent_for_s;
    const Lsn known_end = std::max(r.upstream_end, r.flushed);
    if (facts_.current > known_end && r.running && known_end != 0) {
      Add(p.reasons, Verdict::kCritical, "standby-diverged",
          "this standby has replayed to " + FormatLsn(facts_.current) + ", beyond the upstream's " +
              FormatLsn(known_end),
          "It left the upstream's timeline: stop this server and run mfi rejoin (pg_rewind, or a clone).");
    } else if (known_end != 0) {
      p.lag_bytes = static_cast<std::int64_t>(known_end - std::min(known_end, facts_.current));
    }
    if (!r.running) {
      const bool long_gone = r.silent_for_s.value_or(0) >= limits_.silence_critical_s;
      const std::string heard = r.silent_for_s ? ", last heard " + Seconds(*r.silent_for_s) + " ago" : "";
      Add(p.reasons, long_gone ? Verdict::kCritical : Verdict::kWarning, "upstream-lost",
          "no WAL receiver is running" + heard + ": what is written on the upstream does not arrive",
          "Look at the upstream, at primary_conninfo and at this server's log.");
    } else if (r.state != "streaming") {
      Add(p.reasons, r.state == "waiting" ? Verdict::kCritical : Verdict::kWarning, "receiver-not-streaming",
          "the WAL receiver is in state " + r.state,
          "Read this server's log; when it says that a timeline forked off before the recovery point, this standby has "
          "diverged: run pg_rewind or clone it anew.");
    }
    CatchUp(p, facts_.replay_bytes_per_s);
    JudgeClock(p, r.clock_skew_s);
    JudgeLag(p, "replay-behind", "replay");
    if (r.running) JudgeSilence(p, "upstream-silent", p.peer, r.may_stay_silent);
    if (facts_.replay_paused) {
      Add(p.reasons, Verdict::kWarning, "replay-paused", "replay is paused on this standby",
          "SELECT pg_wal_replay_resume() when it is no longer wanted.");
    }
    Summarise(p);
    status_.peers.push_back(std::move(p));
  }

  void JudgeLag(PeerStatus& p, const char* code, const std::string& who) const {
    if (!p.lag_bytes) return;
    const std::int64_t lag = *p.lag_bytes;
    if (lag < 0) {
      Add(p.reasons, Verdict::kCritical, "standby-diverged",
          p.peer + " has replayed " + FormatBytes(-lag) + " more than this node has written", kRejoinStep);
    } else if (lag >= limits_.lag_warning_bytes) {
      const bool critical = lag >= limits_.lag_critical_bytes;
      if (facts_.standby_dumped && !critical) {
        Add(p.reasons, Verdict::kWarning, "standby-dumping",
            who + " is " + FormatBytes(lag) + " behind while a backup is dumped from the standby",
            "It catches up when the dump is done; with hot_standby_feedback = on a dump holds up nothing.");
        return;
      }
      Add(p.reasons, critical ? Verdict::kCritical : Verdict::kWarning, code,
          who + " is " + FormatBytes(lag) + " behind" + Outlook(p),
          "Look at load, network and long queries on the standby (mfi.lag_warning and mfi.lag_critical are the "
          "limits).");
    }
  }

  static std::string Outlook(const PeerStatus& p) {
    if (p.never_catches_up) return ", and never catches up like this: replay is slower than writes";
    return p.catchup_eta_s ? ", caught up in about " + Seconds(*p.catchup_eta_s) : "";
  }

  void JudgeSilence(PeerStatus& p, const char* code, const std::string& who, bool may_stay_silent) const {
    if (!p.silent_for_s) {
      const std::string because = facts_.not_looked_for_s ? ": " + NotLooked(*facts_.not_looked_for_s) : "";
      Add(p.reasons, Verdict::kUnknown, "cannot-know", "how long " + who + " has been silent is not known" + because,
          facts_.not_looked_for_s ? kWatcherStep
          : facts_.watched        ? "The first figures come with the watcher's next look."
                                  : kLibraryStep);
    } else if (*p.silent_for_s >= limits_.silence_warning_s) {
      if (may_stay_silent) {
        Add(p.reasons, Verdict::kUnknown, "cannot-know",
            who + " has said nothing for " + Seconds(*p.silent_for_s) + ", which wal_receiver_timeout = 0 allows",
            "Set wal_receiver_timeout to 60s, so that a dead link can be told from an idle one.");
        return;
      }
      const bool critical = *p.silent_for_s >= limits_.silence_critical_s;
      Add(p.reasons, critical ? Verdict::kCritical : Verdict::kWarning, code,
          who + " has said nothing for " + Seconds(*p.silent_for_s),
          "A process that hangs or a network that swallows packets: look at both nodes' logs and at the network.");
    }
  }

  static void Summarise(PeerStatus& p) {
    p.summary = p.peer + ": " + p.state;
    if (p.lag_bytes) p.summary += ", " + FormatBytes(*p.lag_bytes) + " behind";
    if (p.silent_for_s) p.summary += ", heard " + Seconds(*p.silent_for_s) + " ago";
    if (p.missing_since) p.summary += " since " + FormatIso(*p.missing_since);
    if (!p.slot_name.empty() && p.slot_wal_status == "lost") {
      p.summary += ", slot " + p.slot_name + " is lost";
    } else if (!p.slot_name.empty() && p.slot_retained_bytes) {
      p.summary += ", slot " + p.slot_name + " keeps " + FormatBytes(*p.slot_retained_bytes);
    }
  }

  const ReplicationFacts& facts_;
  const ReplicationLimits& limits_;
  ReplicationStatus status_;
};

}  // namespace

std::string FormatLsn(Lsn lsn) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%X/%X", static_cast<unsigned>(lsn >> 32U),
                static_cast<unsigned>(lsn & 0xffffffffU));
  return buffer.data();
}

Lsn ReplayedOf(Lsn end, Lsn replay, Lsn file_bytes) {
  const bool switched = replay > end && replay % file_bytes == 0 && replay - end < file_bytes;
  return switched ? end : replay;
}

std::string PeerName(const std::string& application_name, const std::string& slot_name) {
  const bool nameless = application_name.empty() || application_name == "walreceiver";
  return nameless && !slot_name.empty() ? slot_name : application_name;
}

Reasons ReplicationStatus::AllReasons() const {
  Reasons all = node_reasons;
  for (const PeerStatus& peer : peers) all.insert(all.end(), peer.reasons.begin(), peer.reasons.end());
  SortByGravity(all);
  return all;
}

ReplicationStatus JudgeReplication(const ReplicationFacts& facts, const ReplicationLimits& limits) {
  return Judge(facts, limits).Run();
}

}  // namespace mfi::core
