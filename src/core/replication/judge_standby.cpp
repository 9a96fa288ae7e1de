#include "core/replication/judge_standby.h"

#include <iterator>
#include <utility>

#include "core/base/timestamp.h"
#include "core/replication/judge_peer.h"
#include "core/replication/replication_slot.h"

namespace mfi::core {
namespace {

/// A healthy standby begins to stream at once.
constexpr int kStuckInStartup = 2;

void Append(Reasons& reasons, Reasons more) { std::move(more.begin(), more.end(), std::back_inserter(reasons)); }

const SlotFacts* SlotNamed(const std::string& name, const ReplicationFacts& facts) {
  for (const SlotFacts& slot : facts.slots) {
    if (slot.name == name && !name.empty()) return &slot;
  }
  return nullptr;
}

const WatchedPeer* WatchedAs(int pid, const ReplicationFacts& facts) {
  for (const WatchedPeer& peer : facts.watched_peers) {
    if (peer.connected && peer.walsender_pid == pid) return &peer;
  }
  return nullptr;
}

void Fill(PeerStatus& p, const SlotFacts& slot) {
  p.slot_name = slot.name;
  p.slot_wal_status = slot.wal_status;
  p.slot_retained_bytes = slot.retained_bytes;
  p.slot_safe_bytes = slot.safe_bytes;
}

}  // namespace

const SlotFacts* SlotOf(const WalSenderFacts& sender, const ReplicationFacts& facts) {
  for (const SlotFacts& slot : facts.slots) {
    if (slot.active_pid == sender.pid && sender.pid != 0) return &slot;
  }
  return nullptr;
}

PeerStatus JudgeStandby(const WalSenderFacts& sender, const ReplicationFacts& facts, const ReplicationLimits& limits) {
  PeerStatus p;
  const SlotFacts* slot = SlotOf(sender, facts);
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
  if (reached != 0 && facts.current != 0) p.lag_bytes = static_cast<std::int64_t>(facts.current - reached);
  const WatchedPeer* seen = WatchedAs(sender.pid, facts);
  if (seen != nullptr) {
    p.silent_for_s = seen->silent_for_s;
    JudgeCatchUp(p, seen->replay_bytes_per_s, facts, limits);
    JudgeClock(p, seen->clock_skew_s);
  }
  if (sender.state == "startup" && seen != nullptr && seen->looks_in_startup >= kStuckInStartup) {
    AddReason(p.reasons, Verdict::kCritical, "standby-diverged",
              p.peer + " is connected but cannot stream: it has WAL that this node's timeline does not have",
              kRejoinStep);
  } else if (sender.state != "streaming") {
    AddReason(p.reasons, Verdict::kWarning, "standby-not-streaming", p.peer + " is in state " + sender.state,
              "Wait for it to catch up; if it stays so, read the standby's log.");
  }
  JudgeLag(p, "standby-behind", p.peer, facts, limits);
  // One that the watcher has not looked at yet has only just connected.
  if (p.silent_for_s || !facts.watched || facts.not_looked_for_s)
    JudgeSilence(p, "standby-silent", p.peer, false, facts, limits);
  if (slot != nullptr) Append(p.reasons, JudgeSlot(*slot, p.never_catches_up, facts));
  Summarise(p);
  return p;
}

PeerStatus JudgeMissing(const std::string& name, const std::string& slot_name, const std::optional<UtcSeconds>& since,
                        const ReplicationFacts& facts, const ReplicationLimits& limits) {
  PeerStatus p;
  p.slot_name = slot_name;
  if (const SlotFacts* slot = SlotNamed(slot_name, facts)) Fill(p, *slot);
  p.peer = PeerName(name, slot_name);
  p.state = "missing";
  p.missing_since = since;
  const std::int64_t gone_for = since ? facts.now - *since : 0;
  const bool long_gone = since && static_cast<double>(gone_for) >= limits.silence_critical_s;
  const std::string sentence =
      p.peer + " is not connected" + (since ? ", missing for " + FormatDuration(gone_for) : "");
  AddReason(p.reasons, long_gone ? Verdict::kCritical : Verdict::kWarning, "standby-missing", sentence,
            "Start the standby or look at its log and its network; when it is gone for good, " +
                (p.slot_name.empty() ? "leave it out of mfi.expected_standbys ('none' expects no standby)."
                                     : "SELECT pg_drop_replication_slot('" + p.slot_name + "')."));
  const bool no_reconnect = static_cast<double>(gone_for) >= limits.silence_warning_s;
  if (const SlotFacts* slot = SlotNamed(slot_name, facts)) Append(p.reasons, JudgeSlot(*slot, no_reconnect, facts));
  Summarise(p);
  return p;
}

}  // namespace mfi::core
