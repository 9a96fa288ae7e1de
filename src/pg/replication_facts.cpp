#include "pg/replication_facts.h"

#include "pg/bridge.h"
#include "pg/node.h"
#include "pg/settings.h"

extern "C" {
#include "replication/walreceiver.h"
#include "utils/varlena.h"
}

namespace mfi::pg {
namespace {

constexpr char kNone[] = "none";

std::optional<std::int64_t> KnownLag(std::int64_t lag_us) {
  return lag_us < 0 ? std::nullopt : std::optional<std::int64_t>(lag_us);
}

core::WalSenderFacts ToFacts(const RawSender& raw, bool logical_slot) {
  return {.pid = raw.pid,
          .application_name = raw.application_name,
          .state = raw.state,
          .sync_state = raw.sync_state,
          .sent = raw.sent,
          .write = raw.write,
          .flush = raw.flush,
          .replay = raw.replay,
          .write_lag_us = KnownLag(raw.write_lag_us),
          .flush_lag_us = KnownLag(raw.flush_lag_us),
          .replay_lag_us = KnownLag(raw.replay_lag_us),
          .logical = raw.logical || logical_slot};
}

core::SlotFacts ToFacts(const RawSlot& raw, XLogRecPtr current) {
  core::SlotFacts facts{.name = raw.name,
                        .active_pid = raw.active_pid,
                        .logical = raw.logical,
                        .temporary = raw.temporary,
                        .wal_status = raw.wal_status};
  if (raw.restart_lsn != InvalidXLogRecPtr) {
    facts.retained_bytes = static_cast<std::int64_t>(current > raw.restart_lsn ? current - raw.restart_lsn : 0);
  }
  if (raw.has_safe_bytes) facts.safe_bytes = raw.safe_bytes;
  return facts;
}

core::ReceiverFacts ToFacts(const RawReceiver& raw) {
  core::ReceiverFacts facts{.running = raw.running,
                            .state = raw.state,
                            .host = raw.host,
                            .port = raw.port,
                            .slot_name = raw.slot_name,
                            .flushed = raw.flushed,
                            .upstream_end = raw.upstream_end,
                            .timeline = raw.timeline,
                            .may_stay_silent = wal_receiver_timeout == 0};
  if (IsStreaming(raw)) {
    facts.silent_for_s = static_cast<double>(GetCurrentTimestamp() - raw.last_message_at) / USECS_PER_SEC;
  }
  return facts;
}

/// The launcher's memory, copied out of shared memory.
void AddWatched(core::ReplicationFacts& facts, const RawReplication& raw) {
  if (Shared() == nullptr || !LauncherAlive()) return;
  static SharedState copy;  // too large for a stack frame; a backend runs one function at a time
  {
    const StateLock lock(LW_SHARED);
    copy = *Shared();
  }
  facts.watched = copy.sampled_at != 0;
  facts.wal_bytes_per_s = copy.wal_bytes_per_s;
  if (facts.in_recovery && !facts.receiver.silent_for_s) {
    // A standby that never heard anything has been waiting since it started.
    const TimestampTz heard_at = copy.upstream_heard_at != 0 ? copy.upstream_heard_at : PgStartTime;
    facts.receiver.silent_for_s = static_cast<double>(GetCurrentTimestamp() - heard_at) / USECS_PER_SEC;
  }
  const std::int64_t now = MonotonicMicros();
  for (int i = 0; i < copy.peer_count; ++i) {
    const Peer& peer = copy.peers[i];
    core::WatchedPeer watched{.name = peer.name,
                              .slot_name = peer.slot_name,
                              .connected = peer.connected,
                              .walsender_pid = peer.walsender_pid,
                              .replay_bytes_per_s = peer.replay_bytes_per_s};
    if (peer.connected) {
      std::int64_t heard_at = peer.heard_at_us;
      for (int j = 0; j < raw.sender_count; ++j) {
        // A reply since the launcher's last look: heard at some moment after it.
        const bool newer = raw.senders[j].pid == peer.walsender_pid && raw.senders[j].reply_time != peer.reply_time;
        if (newer) heard_at = Max(heard_at, copy.sampled_mono_us);
      }
      watched.silent_for_s = static_cast<double>(now - heard_at) / 1e6;
    } else if (peer.missing_since != 0) {
      watched.missing_since = ToUtcSeconds(peer.missing_since);
    }
    facts.watched_peers.push_back(watched);
  }
}

void AddExpected(core::ReplicationFacts& facts) {
  const List* names = CallPg([] {
    List* list = NIL;
    SplitIdentifierString(pstrdup(settings::expected_standbys), ',', &list);
    return list;
  });
  for (int i = 0; i < list_length(names); ++i) {
    const char* name = static_cast<const char*>(list_nth(names, i));
    if (strcmp(name, kNone) == 0) {
      facts.none_expected = true;
    } else {
      facts.expected.emplace_back(name);
    }
  }
}

}  // namespace

core::ReplicationFacts GatherReplicationFacts() {
  const RawReplication raw = CallPg(CollectReplication);
  core::ReplicationFacts facts;
  facts.in_recovery = raw.in_recovery;
  facts.timeline = raw.timeline;
  facts.now = UtcNow();
  facts.current = raw.current;
  facts.replay_paused = raw.replay_paused;
  facts.slots_unbounded = raw.slots_unbounded;
  for (int i = 0; i < raw.slot_count; ++i) facts.slots.push_back(ToFacts(raw.slots[i], raw.current));
  for (int i = 0; i < raw.sender_count; ++i) {
    bool logical_slot = false;
    for (const core::SlotFacts& slot : facts.slots) {
      logical_slot = logical_slot || (slot.logical && slot.active_pid == raw.senders[i].pid);
    }
    facts.senders.push_back(ToFacts(raw.senders[i], logical_slot));
  }
  if (raw.in_recovery) facts.receiver = ToFacts(raw.receiver);
  AddWatched(facts, raw);
  AddExpected(facts);
  return facts;
}

core::ReplicationLimits ConfiguredLimits() {
  constexpr std::int64_t kMegabyte = 1024 * 1024;
  return {.lag_warning_bytes = settings::lag_warning_mb * kMegabyte,
          .lag_critical_bytes = settings::lag_critical_mb * kMegabyte,
          .silence_warning_s = static_cast<double>(settings::silence_warning_s),
          .silence_critical_s = static_cast<double>(settings::silence_critical_s)};
}

}  // namespace mfi::pg
