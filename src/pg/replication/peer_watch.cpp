#include "pg/replication/peer_watch.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/own_receiver.h"
#include "core/replication/peer_identity.h"
#include "core/replication/replication.h"
#include "os/base/file.h"
#include "pg/replication/history_ring.h"
#include "pg/replication/recovery_conflicts.h"
#include "pg/replication/silence_bounds.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"
#include "pg/server/settings.h"

namespace mfi::pg {
namespace {

/// Below the data directory, which is the server's working directory.
constexpr char kFile[] = "mfi_standbys.json";
constexpr char kWalDirectory[] = "pg_wal";
constexpr std::int64_t kSaveAgainAfterUs = 10 * USECS_PER_SEC;

/// The trend is taken over so many windows.
constexpr double kTrend = 10;

/// A standby that has said nothing for so many times its interval has a connection that is broken.
constexpr double kLongerThanItIsSilent = 1.5;

const RawSlot* SlotOf(const RawReplication& raw, int pid) {
  for (int i = 0; i < raw.slot_count; ++i) {
    if (raw.slots[i].active_pid == pid) return &raw.slots[i];
  }
  return nullptr;
}

bool IsRecoverySlot(const RawSlot& slot) { return strcmp(slot.name, core::kRecoverySlot) == 0; }

bool IsStandby(const RawSender& sender, const RawSlot* slot) {
  if (slot != nullptr && IsRecoverySlot(*slot)) return false;
  const bool logical = sender.logical || (slot != nullptr && slot->logical);
  return core::IsStandby(logical, sender.replay, slot != nullptr && !slot->temporary);
}

bool SlotExists(const RawReplication& raw, const char* name) {
  for (int i = 0; i < raw.slot_count; ++i) {
    if (strcmp(raw.slots[i].name, name) == 0) return true;
  }
  return false;
}

core::KnownPeer ToKnown(const Peer& peer) {
  return {.name = peer.name,
          .slot_name = peer.slot_name,
          .address = peer.address,
          .pid = peer.walsender_pid,
          .was_missing = peer.missing_since != 0,
          .connected = peer.connected,
          .came_at_us = peer.came_at_us,
          .heard_at_us = peer.heard_at_us,
          .beside = peer.beside};
}

std::vector<core::KnownPeer> ToKnown(const ReplicationWatch& watch) {
  std::vector<core::KnownPeer> known;
  for (int i = 0; i < watch.peer_count; ++i) known.push_back(ToKnown(watch.peers[i]));
  return known;
}

/// Null when there is no room. Whoever comes beside a connected one of its name may be that one, anew.
Peer* AddPeer(ReplicationWatch& watch, const core::Connection& who) {
  if (watch.peer_count == kMaxPeers) return nullptr;
  Peer& peer = watch.peers[watch.peer_count];
  peer = {};
  strlcpy(peer.name, who.name.c_str(), sizeof(peer.name));
  strlcpy(peer.slot_name, who.slot_name.c_str(), sizeof(peer.slot_name));
  strlcpy(peer.address, who.address.c_str(), sizeof(peer.address));
  for (int i = 0; i < watch.peer_count && who.pid != 0; ++i) {
    const bool was_there = watch.peers[i].missing_since == 0 && !watch.peers[i].beside;
    peer.beside = peer.beside || (was_there && core::AreAlike(ToKnown(watch.peers[i]), ToKnown(peer)));
  }
  ++watch.peer_count;
  return &peer;
}

/// As it is called in the history: with its address where others have its name, too.
std::string HistoryName(const ReplicationWatch& watch, const Peer& peer) {
  for (int i = 0; i < watch.peer_count; ++i) {
    if (&watch.peers[i] == &peer || !core::AreAlike(ToKnown(watch.peers[i]), ToKnown(peer))) continue;
    return std::string(peer.name) + " (" + (peer.address[0] == '\0' ? "local" : peer.address) + ")";
  }
  return core::PeerName(peer.name, peer.slot_name);
}

}  // namespace

void PeerWatch::Load() {
  saved_.clear();
  try {
    if (os::Exists(kFile)) saved_ = core::ParsePeerMemory(os::ReadFile(kFile), NodeName());
  } catch (const core::Error& error) {
    Tell(error.what());
  }
  ReplicationWatch watch = LastWatch();
  if (watch.peer_count != 0) return;  // a restarted watcher: shared memory knows better
  for (const core::RememberedPeer& peer : saved_) {
    Peer* added = AddPeer(watch, {.name = peer.name, .slot_name = peer.slot_name, .address = peer.address});
    if (added == nullptr) break;
    added->missing_since = peer.missing_since ? ToTimestampTz(*peer.missing_since) : GetCurrentTimestamp();
  }
  ReportWatch(watch);
}

void PeerWatch::Sample() {
  const RawReplication raw = CallPg(CollectReplication);
  ReplicationWatch watch = LastWatch();
  const std::int64_t now_us = MonotonicMicros();
  const Interval since{
      .elapsed_s = watch.sampled_at == 0 ? 0 : static_cast<double>(now_us - watch.sampled_mono_us) / 1e6,
      .window_s = RateWindow()};
  for (int i = 0; i < watch.peer_count; ++i) watch.peers[i].connected = false;
  See(watch, raw, now_us, since);
  Settle(watch, now_us);
  Miss(watch, raw);
  Forget(watch, raw);
  Measure(watch, raw, since);
  watch.sampled_at = GetCurrentTimestamp();
  watch.sampled_mono_us = now_us;
  ReportWatch(watch);
  Save(watch);
  RememberSample(watch, raw);
}

/// How fast WAL comes and is replayed, and how far the upstream's clock is from ours.
void PeerWatch::Measure(ReplicationWatch& watch, const RawReplication& raw, const Interval& since) {
  const XLogRecPtr wal_end = WalEnd(raw);
  if (watch.wal_end != 0 && wal_end >= watch.wal_end) {
    const auto written = static_cast<double>(wal_end - watch.wal_end);
    watch.wal_rate.Add(written, since.elapsed_s, since.window_s);
    watch.wal_rate_trend.Add(written, since.elapsed_s, since.window_s * kTrend);
  }
  watch.wal_end = wal_end;
  if (!raw.in_recovery) return;
  if (watch.replayed != 0 && raw.current >= watch.replayed) {
    watch.replay_rate.Add(static_cast<double>(raw.current - watch.replayed), since.elapsed_s, since.window_s);
  }
  if (watch.replayed != raw.current) watch.replay_moved_us = MonotonicMicros();
  watch.replayed = raw.current;
  if (!IsStreaming(raw.receiver) || raw.receiver.last_message_at == watch.upstream_heard_at) return;
  watch.upstream_heard_at = raw.receiver.last_message_at;
  watch.upstream_clock_skew.Add(static_cast<double>(raw.receiver.last_message_sent_at - raw.receiver.last_message_at) /
                                USECS_PER_SEC);
}

void PeerWatch::See(ReplicationWatch& watch, const RawReplication& raw, std::int64_t now_us, const Interval& since) {
  std::vector<core::Connection> connections;
  std::vector<const RawSender*> senders;
  for (int i = 0; i < raw.sender_count; ++i) {
    const RawSender& sender = raw.senders[i];
    const RawSlot* slot = SlotOf(raw, sender.pid);
    if (!IsStandby(sender, slot)) continue;
    senders.push_back(&sender);
    connections.push_back({.pid = sender.pid,
                           .name = sender.application_name,
                           .slot_name = slot == nullptr ? "" : slot->name,
                           .address = sender.address});
  }
  const std::vector<int> known = core::Recognize(ToKnown(watch), connections);
  watch.unwatched = 0;
  for (std::size_t i = 0; i < senders.size(); ++i) {
    const core::Connection& connection = connections[i];
    Peer* peer = known[i] >= 0 ? &watch.peers[known[i]] : AddPeer(watch, connection);
    if (peer == nullptr) {
      ++watch.unwatched;
      continue;
    }
    peer->connected = true;
    Hear(*peer, *senders[i], SlotOf(raw, connection.pid), {.now_us = now_us, .looked_at = watch.sampled_at}, since);
  }
}

/// What its walsender says of a standby.
void PeerWatch::Hear(Peer& peer, const RawSender& sender, const RawSlot* slot, const Moment& moment,
                     const Interval& since) {
  strlcpy(peer.name, sender.application_name, sizeof(peer.name));
  strlcpy(peer.slot_name, slot == nullptr ? "" : slot->name, sizeof(peer.slot_name));
  strlcpy(peer.address, sender.address, sizeof(peer.address));
  const bool same = peer.missing_since == 0 && peer.walsender_pid == sender.pid;
  if (!same) {
    peer.replay_rate = {};
    peer.slot_rate = {};
    peer.came_at_us = moment.now_us;
  }
  if (!same || peer.reply_time != sender.reply_time) peer.heard_at_us = moment.now_us;
  if (same && peer.reply_time != sender.reply_time) {
    // The reply came at some moment since the last look: only what lies outside of that time is skew.
    const TimestampTz now = GetCurrentTimestamp();
    const std::int64_t skew_us = sender.reply_time - std::clamp(sender.reply_time, Min(moment.looked_at, now), now);
    peer.clock_skew.Add(static_cast<double>(skew_us) / USECS_PER_SEC);
  }
  if (same && peer.replay != 0 && sender.replay >= peer.replay) {
    peer.replay_rate.Add(static_cast<double>(sender.replay - peer.replay), since.elapsed_s, since.window_s);
  }
  const XLogRecPtr keeps_from = slot == nullptr ? InvalidXLogRecPtr : slot->restart_lsn;
  if (same && peer.slot_keeps_from != InvalidXLogRecPtr && keeps_from >= peer.slot_keeps_from) {
    const auto let_go = static_cast<double>(keeps_from - peer.slot_keeps_from);
    peer.slot_rate.Add(let_go, since.elapsed_s, since.window_s * kTrend);
  }
  const bool starting = same && strcmp(sender.state, "startup") == 0;
  peer.looks_in_startup = starting ? peer.looks_in_startup + 1 : 0;
  peer.walsender_pid = sender.pid;
  peer.reply_time = sender.reply_time;
  peer.replay = sender.replay;
  peer.slot_keeps_from = keeps_from;
  peer.missing_since = 0;
}

/// Forgets the old connections of standbys that have come anew.
void PeerWatch::Settle(ReplicationWatch& watch, std::int64_t now_us) {
  std::vector<core::KnownPeer> peers = ToKnown(watch);
  const std::vector<bool> is_old = core::OldConnections(
      peers, now_us, static_cast<std::int64_t>(kLongerThanItIsSilent * StandbySpeaksEveryS() * 1e6));
  int kept = 0;
  for (int i = 0; i < watch.peer_count; ++i) {
    watch.peers[i].beside = peers[i].beside;
    if (!is_old[i]) watch.peers[kept++] = watch.peers[i];
  }
  watch.peer_count = kept;
}

/// Whoever was there and is not now is missing since now; a slot nobody uses stands for a standby nobody has seen.
void PeerWatch::Miss(ReplicationWatch& watch, const RawReplication& raw) {
  for (int i = 0; i < raw.slot_count; ++i) {
    const RawSlot& slot = raw.slots[i];
    const bool watched = !slot.logical && !slot.temporary && slot.active_pid == 0 && !IsRecoverySlot(slot);
    const bool known = std::any_of(watch.peers, watch.peers + watch.peer_count, [&](const Peer& peer) {
      return strcmp(peer.slot_name, slot.name) == 0 || (peer.slot_name[0] == '\0' && strcmp(peer.name, slot.name) == 0);
    });
    if (watched && !known) AddPeer(watch, {.name = slot.name, .slot_name = slot.name});
  }
  for (int i = 0; i < watch.peer_count; ++i) {
    Peer& peer = watch.peers[i];
    if (!peer.connected && peer.missing_since == 0) peer.missing_since = GetCurrentTimestamp();
  }
}

/// A missing standby is forgotten when its slot was dropped, or when expected standbys are named and it had no slot.
void PeerWatch::Forget(ReplicationWatch& watch, const RawReplication& raw) {
  const bool named = settings::expected_standbys[0] != '\0';
  int kept = 0;
  for (int i = 0; i < watch.peer_count; ++i) {
    const Peer& peer = watch.peers[i];
    const bool had_slot = peer.slot_name[0] != '\0';
    const bool gone = !peer.connected && (had_slot ? !SlotExists(raw, peer.slot_name) : named);
    if (!gone) watch.peers[kept++] = peer;
  }
  watch.peer_count = kept;
}

/// Adds what this look has found to the rows of mfi_replication_history().
void PeerWatch::RememberSample(const ReplicationWatch& watch, const RawReplication& raw) {
  core::ReplicationSample base{.in_recovery = raw.in_recovery, .timeline = raw.timeline, .wal_end = WalEnd(raw)};
  try {
    base.wal_disk_free = os::FreeSpace(kWalDirectory);
  } catch (const core::Error&) {
    base.wal_disk_free = 0;
  }
  base.at_us = watch.sampled_at;
  std::vector<core::ReplicationSample> samples;
  for (int i = 0; i < watch.peer_count; ++i) {
    const Peer& peer = watch.peers[i];
    core::ReplicationSample& sample = samples.emplace_back(base);
    sample.peer = HistoryName(watch, peer);
    sample.connected = peer.connected;
    if (!peer.connected) continue;
    sample.replay = peer.replay;
    sample.silent_for_s = static_cast<double>(watch.sampled_mono_us - peer.heard_at_us) / 1e6;
  }
  if (raw.in_recovery) {
    core::ReplicationSample& sample = samples.emplace_back(base);
    sample.peer = UpstreamName(raw.receiver);
    sample.connected = raw.receiver.running;
    sample.replay = raw.current;
    if (watch.upstream_heard_at != 0) {
      sample.silent_for_s = static_cast<double>(watch.sampled_at - watch.upstream_heard_at) / USECS_PER_SEC;
    }
    sample.conflicts = CountRecoveryConflicts();
  }
  if (samples.empty()) samples.push_back(base);
  Remember(samples);
}

void PeerWatch::Save(const ReplicationWatch& watch) {
  std::vector<core::RememberedPeer> now;
  for (int i = 0; i < watch.peer_count; ++i) {
    const Peer& peer = watch.peers[i];
    core::RememberedPeer remembered{.name = peer.name, .slot_name = peer.slot_name, .address = peer.address};
    if (peer.missing_since != 0) remembered.missing_since = ToUtcSeconds(peer.missing_since);
    now.push_back(remembered);
  }
  if (now == saved_ || MonotonicMicros() < save_after_us_) return;
  try {
    os::WriteFileAtomically(kFile, core::ToJson(NodeName(), now), 0600);
    saved_ = now;
    Tell({});
  } catch (const core::Error& error) {
    save_after_us_ = MonotonicMicros() + kSaveAgainAfterUs;
    Tell(error.what());
  }
}

/// Has the verdict say why the file does not say what is known (empty: it does), and the log when that changes.
void PeerWatch::Tell(const std::string& unsaved) {
  if (!ReportPeersUnsaved(unsaved)) return;
  const char* text = unsaved.empty() ? "is written to disk again" : unsaved.c_str();
  CallPg([&] { ereport(LOG, (errmsg("mfi: the memory of standbys: %s", text))); });
}

}  // namespace mfi::pg
