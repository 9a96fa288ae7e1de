#include "pg/peer_watch.h"

#include "core/error.h"
#include "os/file.h"
#include "pg/bridge.h"
#include "pg/node.h"
#include "pg/settings.h"

namespace mfi::pg {
namespace {

/// Below the data directory, which is the server's working directory.
constexpr char kFile[] = "mfi_standbys.json";

const RawSlot* SlotOf(const RawReplication& raw, int pid) {
  for (int i = 0; i < raw.slot_count; ++i) {
    if (raw.slots[i].active_pid == pid) return &raw.slots[i];
  }
  return nullptr;
}

/// As core::JudgeReplication sees it: who reports what it replayed, or keeps WAL by a slot that outlives it.
bool IsStandby(const RawSender& sender, const RawSlot* slot) {
  const bool logical = sender.logical || (slot != nullptr && slot->logical);
  return !logical && (sender.replay != 0 || (slot != nullptr && !slot->temporary));
}

bool SlotExists(const RawReplication& raw, const char* name) {
  for (int i = 0; i < raw.slot_count; ++i) {
    if (strcmp(raw.slots[i].name, name) == 0) return true;
  }
  return false;
}

Peer* FindPeer(SharedState& shared, const char* name, const char* slot_name) {
  for (int i = 0; i < shared.peer_count; ++i) {
    Peer& peer = shared.peers[i];
    const bool same_slot = slot_name[0] != '\0' && strcmp(peer.slot_name, slot_name) == 0;
    const bool same_name = strcmp(peer.name, name) == 0 && (slot_name[0] == '\0' || peer.slot_name[0] == '\0');
    if (same_slot || same_name) return &peer;
  }
  return nullptr;
}

Peer* AddPeer(SharedState& shared, const char* name, const char* slot_name) {
  if (shared.peer_count == kMaxPeers) return nullptr;
  Peer& peer = shared.peers[shared.peer_count++];
  peer = {};
  strlcpy(peer.name, name, sizeof(peer.name));
  strlcpy(peer.slot_name, slot_name, sizeof(peer.slot_name));
  return &peer;
}

}  // namespace

void PeerWatch::Load() {
  saved_.clear();
  if (os::Exists(kFile)) saved_ = core::ParsePeerMemory(os::ReadFile(kFile), NodeName());
  SharedState& shared = *Shared();
  const StateLock lock(LW_EXCLUSIVE);
  if (shared.peer_count != 0) return;  // a restarted launcher: shared memory knows better
  for (const core::RememberedPeer& peer : saved_) {
    Peer* added = AddPeer(shared, peer.name.c_str(), peer.slot_name.c_str());
    if (added == nullptr) return;
    added->missing_since = peer.missing_since ? ToTimestampTz(*peer.missing_since) : GetCurrentTimestamp();
  }
}

void PeerWatch::Sample() {
  const RawReplication raw = CallPg(CollectReplication);
  SharedState& shared = *Shared();
  const std::int64_t now_us = MonotonicMicros();
  {
    const StateLock lock(LW_EXCLUSIVE);
    const double elapsed_s = shared.sampled_at == 0 ? 0 : static_cast<double>(now_us - shared.sampled_mono_us) / 1e6;
    for (int i = 0; i < shared.peer_count; ++i) shared.peers[i].connected = false;
    for (int i = 0; i < raw.sender_count; ++i) See(raw, raw.senders[i], now_us, elapsed_s);
    Miss(raw);
    Forget(raw);
    if (IsStreaming(raw.receiver)) shared.upstream_heard_at = raw.receiver.last_message_at;
    if (elapsed_s > 0 && raw.current >= shared.sampled_wal_end) {
      shared.wal_bytes_per_s = static_cast<double>(raw.current - shared.sampled_wal_end) / elapsed_s;
    }
    shared.sampled_wal_end = raw.current;
    shared.sampled_at = GetCurrentTimestamp();
    shared.sampled_mono_us = now_us;
  }
  Save();
}

void PeerWatch::See(const RawReplication& raw, const RawSender& sender, std::int64_t now_us, double elapsed_s) {
  const RawSlot* slot = SlotOf(raw, sender.pid);
  if (!IsStandby(sender, slot)) return;
  SharedState& shared = *Shared();
  const char* slot_name = slot == nullptr ? "" : slot->name;
  Peer* peer = FindPeer(shared, sender.application_name, slot_name);
  if (peer == nullptr) peer = AddPeer(shared, sender.application_name, slot_name);
  if (peer == nullptr) return;
  strlcpy(peer->name, sender.application_name, sizeof(peer->name));
  strlcpy(peer->slot_name, slot_name, sizeof(peer->slot_name));
  if (peer->walsender_pid != sender.pid || peer->reply_time != sender.reply_time) peer->heard_at_us = now_us;
  if (peer->walsender_pid == sender.pid && elapsed_s > 0 && sender.replay >= peer->replay) {
    peer->replay_bytes_per_s = static_cast<double>(sender.replay - peer->replay) / elapsed_s;
  }
  peer->connected = true;
  peer->walsender_pid = sender.pid;
  peer->reply_time = sender.reply_time;
  peer->replay = sender.replay;
  peer->missing_since = 0;
}

/// Whoever was there and is not now is missing since now; a slot nobody uses stands for a standby nobody has seen.
void PeerWatch::Miss(const RawReplication& raw) {
  SharedState& shared = *Shared();
  for (int i = 0; i < raw.slot_count; ++i) {
    const RawSlot& slot = raw.slots[i];
    const bool watched = !slot.logical && !slot.temporary && slot.active_pid == 0;
    if (watched && FindPeer(shared, slot.name, slot.name) == nullptr) AddPeer(shared, slot.name, slot.name);
  }
  for (int i = 0; i < shared.peer_count; ++i) {
    Peer& peer = shared.peers[i];
    if (!peer.connected && peer.missing_since == 0) peer.missing_since = GetCurrentTimestamp();
  }
}

/// A missing standby is forgotten when its slot was dropped, or when expected standbys are named and it had no slot.
void PeerWatch::Forget(const RawReplication& raw) {
  SharedState& shared = *Shared();
  const bool named = settings::expected_standbys[0] != '\0';
  int kept = 0;
  for (int i = 0; i < shared.peer_count; ++i) {
    const Peer& peer = shared.peers[i];
    const bool had_slot = peer.slot_name[0] != '\0';
    const bool gone = !peer.connected && (had_slot ? !SlotExists(raw, peer.slot_name) : named);
    if (!gone) shared.peers[kept++] = peer;
  }
  shared.peer_count = kept;
}

void PeerWatch::Save() {
  std::vector<core::RememberedPeer> now;
  {
    const SharedState& shared = *Shared();
    const StateLock lock(LW_SHARED);
    for (int i = 0; i < shared.peer_count; ++i) {
      const Peer& peer = shared.peers[i];
      core::RememberedPeer remembered{.name = peer.name, .slot_name = peer.slot_name};
      if (peer.missing_since != 0) remembered.missing_since = ToUtcSeconds(peer.missing_since);
      now.push_back(remembered);
    }
  }
  if (now == saved_) return;
  os::WriteFileAtomically(kFile, core::ToJson(NodeName(), now), 0600);
  saved_ = now;
}

}  // namespace mfi::pg
