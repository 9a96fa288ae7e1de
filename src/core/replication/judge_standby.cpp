#include "core/replication/judge_standby.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/own_receiver.h"
#include "core/base/timestamp.h"
#include "core/replication/judge_peer.h"
#include "core/replication/replication_slot.h"

namespace mfi::core {
namespace {

/// A healthy standby begins to stream at once.
constexpr int kStuckInStartup = 2;

/// Of two rates that were taken a moment apart, so much of a difference is none.
constexpr double kSameRate = 0.1;

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

/// How fast the slot of a connected standby keeps more, where it keeps more than a standby that follows: what has been
/// replayed does not matter to it.
std::optional<double> Growth(const SlotFacts& slot, const WatchedPeer* seen, const ReplicationFacts& facts,
                             const ReplicationLimits& limits) {
  if (seen == nullptr || !seen->slot_bytes_per_s || !facts.wal_bytes_per_s_trend) return std::nullopt;
  if (slot.retained_bytes.value_or(0) < limits.lag_warning_bytes) return std::nullopt;
  const double growth = *facts.wal_bytes_per_s_trend - *seen->slot_bytes_per_s;
  return growth > kSameRate * *facts.wal_bytes_per_s_trend ? std::optional<double>(growth) : std::nullopt;
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

bool IsOwnReceiver(const WalSenderFacts& sender, const ReplicationFacts& facts) {
  const SlotFacts* slot = SlotOf(sender, facts);
  return slot != nullptr && slot->name == kRecoverySlot;
}

int Namesakes(const std::string& name, const ReplicationFacts& facts) {
  int found = 0;
  for (const WalSenderFacts& sender : facts.senders) {
    const WatchedPeer* seen = WatchedAs(sender.pid, facts);
    const bool counts = SlotOf(sender, facts) == nullptr && IsStandby(sender.logical, sender.replay, false) &&
                        (seen == nullptr || !seen->beside);
    if (counts && sender.application_name == name) ++found;
  }
  for (const WatchedPeer& peer : facts.watched_peers) {
    if (!peer.connected && peer.slot_name.empty() && peer.name == name) ++found;
  }
  return found;
}

std::string DisplayName(const std::string& name, const std::string& slot_name, const std::string& address,
                        const ReplicationFacts& facts) {
  if (!slot_name.empty() || Namesakes(name, facts) < 2) return PeerName(name, slot_name);
  return name + " (" + (address.empty() ? "local" : address) + ")";
}

PeerStatus JudgeStandby(const WalSenderFacts& sender, const ReplicationFacts& facts, const ReplicationLimits& limits) {
  PeerStatus p;
  const SlotFacts* slot = SlotOf(sender, facts);
  if (slot != nullptr) Fill(p, *slot);
  p.peer = DisplayName(sender.application_name, p.slot_name, sender.address, facts);
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
  if (reached != 0 && facts.written != 0) p.lag_bytes = static_cast<std::int64_t>(facts.written - reached);
  // A standby that sends on may have been restarted and know less than it sent before: no sign of another timeline.
  if (facts.in_recovery && p.lag_bytes) p.lag_bytes = std::max<std::int64_t>(0, *p.lag_bytes);
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
    JudgeSilence(p, "standby-silent", p.peer, facts.standby_bound, facts, limits);
  if (slot != nullptr) Append(p.reasons, JudgeSlot(*slot, Growth(*slot, seen, facts, limits)));
  Summarise(p);
  return p;
}

PeerStatus JudgeMissing(const WatchedPeer& peer, const ReplicationFacts& facts, const ReplicationLimits& limits) {
  PeerStatus p;
  p.slot_name = peer.slot_name;
  const std::optional<UtcSeconds>& since = peer.missing_since;
  if (const SlotFacts* slot = SlotNamed(p.slot_name, facts)) Fill(p, *slot);
  p.peer = DisplayName(peer.name, p.slot_name, peer.address, facts);
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
  if (const SlotFacts* slot = SlotNamed(p.slot_name, facts)) {
    Append(p.reasons, JudgeSlot(*slot, no_reconnect ? facts.wal_bytes_per_s_trend : std::nullopt));
  }
  Summarise(p);
  return p;
}

}  // namespace mfi::core
