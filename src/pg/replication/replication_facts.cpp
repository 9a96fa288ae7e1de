#include "pg/replication/replication_facts.h"

#include "core/base/error.h"
#include "os/base/file.h"
#include "pg/backup/run_board.h"
#include "pg/replication/peer_probe.h"
#include "pg/replication/peer_watch.h"
#include "pg/replication/silence_bounds.h"
#include "pg/replication/watch_memory.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/compat.h"
#include "pg/server/identity.h"
#include "pg/server/settings.h"
#include "pg/server/worker_presence.h"

extern "C" {
#include "access/twophase.h"
#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "common/controldata_utils.h"
#include "pgstat.h"
#include "replication/walreceiver.h"
#include "replication/walsender.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/varlena.h"
#include "utils/wait_event.h"
}

namespace mfi::pg {
namespace {

constexpr char kNone[] = "none";
constexpr std::int64_t kMegabyte = 1024 * 1024;
/// A look is late after so many intervals and seconds: a busy machine may delay one.
constexpr double kLateLooks = 3;
constexpr double kLateSeconds = 2;

double Since(TimestampTz at) { return static_cast<double>(GetCurrentTimestamp() - at) / USECS_PER_SEC; }

std::optional<std::int64_t> KnownLag(std::int64_t lag_us) {
  return lag_us < 0 ? std::nullopt : std::optional<std::int64_t>(lag_us);
}

core::WalSenderFacts ToFacts(const RawSender& raw, bool logical_slot) {
  return {.pid = raw.pid,
          .application_name = raw.application_name,
          .address = raw.address,
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
  if (raw.xmin_age >= 0) facts.xmin_age = raw.xmin_age;
  return facts;
}

core::ReceiverFacts ToFacts(const RawReceiver& raw) {
  core::ReceiverFacts facts{.wanted = PrimaryConnInfo != nullptr && PrimaryConnInfo[0] != '\0',
                            .running = raw.running,
                            .state = raw.state,
                            .name = UpstreamName(raw),
                            .slot_name = raw.slot_name,
                            .flushed = raw.flushed,
                            .upstream_end = raw.upstream_end,
                            .timeline = raw.timeline};
  if (IsStreaming(raw)) facts.silent_for_s = Since(raw.last_message_at);
  return facts;
}

/// What the watcher has reported.
void AddWatched(core::ReplicationFacts& facts, const RawReplication& raw) {
  if (!WatcherAlive()) return;
  const ReplicationWatch copy = LastWatch();
  facts.watched = copy.sampled_at != 0;
  const std::int64_t now = MonotonicMicros();
  const double looked_ago_s = facts.watched ? static_cast<double>(now - copy.sampled_mono_us) / 1e6 : 0;
  const bool late = looked_ago_s > kLateLooks * settings::sample_interval_ms / 1000 + kLateSeconds;
  if (late) {
    facts.not_looked_for_s = looked_ago_s;
  } else {
    facts.wal_bytes_per_s = copy.wal_rate.Known();
    facts.wal_bytes_per_s_trend = copy.wal_rate_trend.Known(RateWindow());
    facts.replay_bytes_per_s = copy.replay_rate.Known();
  }
  if (facts.in_recovery) {
    facts.receiver.clock_skew_s = copy.upstream_clock_skew.skew_s;
    if (!late && facts.watched) facts.replay_stands_for_s = static_cast<double>(now - copy.replay_moved_us) / 1e6;
    // A standby that never heard anything has been waiting since it started.
    const TimestampTz heard_at = copy.upstream_heard_at != 0 ? copy.upstream_heard_at : PgStartTime;
    if (!facts.receiver.silent_for_s && !late) facts.receiver.silent_for_s = Since(heard_at);
  }
  facts.unwatched_standbys = copy.unwatched;
  for (int i = 0; i < copy.peer_count; ++i) {
    const Peer& peer = copy.peers[i];
    core::WatchedPeer watched{.name = peer.name,
                              .slot_name = peer.slot_name,
                              .address = peer.address,
                              .connected = peer.connected,
                              .walsender_pid = peer.walsender_pid,
                              .clock_skew_s = peer.clock_skew.skew_s,
                              .beside = peer.beside,
                              .looks_in_startup = peer.looks_in_startup};
    if (peer.connected) {
      if (!late) {
        watched.replay_bytes_per_s = peer.replay_rate.Known();
        watched.slot_bytes_per_s = peer.slot_rate.Known(RateWindow());
      }
      bool newer = false;
      for (int j = 0; j < raw.sender_count; ++j) {
        newer = newer || (raw.senders[j].pid == peer.walsender_pid && raw.senders[j].reply_time != peer.reply_time);
      }
      // A reply since the watcher's last look was heard at some moment after it, which after a short time is as good as
      // known. Without one, the silence goes on.
      const std::int64_t heard_at = newer ? copy.sampled_mono_us : peer.heard_at_us;
      const bool known = !newer || (!late && looked_ago_s < settings::silence_warning_s);
      if (known) watched.silent_for_s = static_cast<double>(now - heard_at) / 1e6;
    } else if (peer.missing_since != 0) {
      watched.missing_since = ToUtcSeconds(peer.missing_since);
    }
    facts.watched_peers.push_back(watched);
  }
}

core::WalDiskFacts WalDisk() {
  core::WalDiskFacts disk{.max_wal_bytes = max_wal_size_mb * kMegabyte};
  try {
    disk.free_bytes = os::FreeSpace("pg_wal");
  } catch (const core::Error&) {
    disk.free_bytes.reset();
  }
  return disk;
}

core::ArchiverFacts Archiver(bool in_recovery) {
  core::ArchiverFacts facts;
  if (in_recovery ? !XLogArchivingAlways() : !XLogArchivingActive()) return facts;
  const PgStat_ArchiverStats* archiver = CallPg([] { return pgstat_fetch_stat_archiver(); });
  facts.failing = archiver->last_failed_timestamp > archiver->last_archived_timestamp;
  facts.failed_file = archiver->last_failed_wal;
  facts.failed_count = archiver->failed_count;
  if (archiver->last_archived_timestamp != 0) {
    facts.last_success = ToUtcSeconds(archiver->last_archived_timestamp);
  }
  return facts;
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

/// On a standby its sessions tell, which are many to look at: only when it matters.
bool SessionDumps() {
  return CallPg([] {
    const int sessions = pgstat_fetch_stat_numbackends();
    for (int i = 1; i <= sessions; ++i) {
      const PgBackendStatus* session = compat::BackendByIndex(i);
      if (session != nullptr && strncmp(session->st_appname, "mfi backup ", 11) == 0) return true;
    }
    return false;
  });
}

/// Whether replay waits now because it is to be behind. Between two waits the age of what it has replayed tells.
bool ReplayIsDelayed() {
  if (recovery_min_apply_delay <= 0) return false;
  return CallPg([] {
    const int sessions = pgstat_fetch_stat_numbackends();
    for (int i = 1; i <= sessions; ++i) {
      const PgBackendStatus* session = compat::BackendByIndex(i);
      if (session == nullptr || session->st_backendType != B_STARTUP) continue;
      const PGPROC* process = AuxiliaryPidGetProc(session->st_procpid);
      if (process != nullptr && process->wait_event_info == WAIT_EVENT_RECOVERY_APPLY_DELAY) return true;
    }
    const TimestampTz replayed = GetLatestXTime();
    const double wanted_s = recovery_min_apply_delay / 1000.0 + settings::silence_warning_s;
    return replayed != 0 && Since(replayed) <= wanted_s;
  });
}

/// Replay pauses by itself when the primary is set higher than this standby. What the primary has set is in pg_control.
std::vector<core::LowSetting> LowSettings() {
  bool whole = false;
  const ControlFileData* control = CallPg([&] { return get_controlfile(DataDir, &whole); });
  if (!whole) return {};
  std::vector<core::LowSetting> low;
  const auto compare = [&](const char* name, int here, int primary) {
    if (here < primary) low.push_back({.name = name, .here = here, .least = primary});
  };
  compare("max_connections", MaxConnections, control->MaxConnections);
  compare("max_worker_processes", max_worker_processes, control->max_worker_processes);
  compare("max_wal_senders", max_wal_senders, control->max_wal_senders);
  compare("max_prepared_transactions", max_prepared_xacts, control->max_prepared_xacts);
  compare("max_locks_per_transaction", max_locks_per_xact, control->max_locks_per_xact);
  return low;
}

bool StandbyDumped(const core::ReplicationFacts& facts) {
  if (facts.in_recovery) {
    const core::Lsn end = Max(facts.receiver.upstream_end, facts.receiver.flushed);
    return end > facts.current && SessionDumps();
  }
  return Current().dumps_standby;
}

}  // namespace

core::ReplicationFacts GatherReplicationFacts() {
  const RawReplication raw = CallPg(CollectReplication);
  core::ReplicationFacts facts;
  facts.in_recovery = raw.in_recovery;
  facts.timeline = raw.timeline;
  facts.now = UtcNow();
  facts.current = raw.current;
  facts.written = raw.written;
  facts.replay_paused = raw.replay_paused;
  facts.upstream_bound = UpstreamBound();
  facts.standby_bound = StandbyBound();
  if (raw.in_recovery) {
    facts.replay_delayed = ReplayIsDelayed();
    if (raw.replay_paused) facts.low_settings = LowSettings();
  }
  facts.slots_unbounded = raw.slots_unbounded;
  facts.sync_standbys_wanted = raw.sync_standbys_wanted;
  facts.system_identifier = SystemIdentifier();
  facts.wal_disk = WalDisk();
  facts.archiver = Archiver(raw.in_recovery);
  facts.probe = GatherProbeFacts();
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
  facts.standby_dumped = StandbyDumped(facts);
  return facts;
}

core::ReplicationLimits ConfiguredLimits() {
  return {.lag_warning_bytes = settings::lag_warning_mb * kMegabyte,
          .lag_critical_bytes = settings::lag_critical_mb * kMegabyte,
          .silence_warning_s = static_cast<double>(settings::silence_warning_s),
          .silence_critical_s = static_cast<double>(settings::silence_critical_s)};
}

}  // namespace mfi::pg
