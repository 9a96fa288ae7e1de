#include "pg/replication/replication_raw.h"

#include "core/replication/replication.h"
#include "pg/server/compat.h"

extern "C" {
#include "access/transam.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xlogrecovery.h"
#include "common/ip.h"
#include "replication/syncrep.h"
#include "replication/walreceiver.h"
#include "replication/walsender.h"
}

namespace mfi::pg {
namespace {

const char* SenderState(WalSndState state) {
  switch (state) {
    case WALSNDSTATE_STARTUP:
      return "startup";
    case WALSNDSTATE_BACKUP:
      return "backup";
    case WALSNDSTATE_CATCHUP:
      return "catchup";
    case WALSNDSTATE_STREAMING:
      return "streaming";
    case WALSNDSTATE_STOPPING:
      return "stopping";
  }
  return "unknown";
}

const char* ReceiverState(WalRcvState state) {
  switch (state) {
    case WALRCV_STOPPED:
      return "stopped";
    case WALRCV_STARTING:
      return "starting";
    case WALRCV_STREAMING:
      return "streaming";
    case WALRCV_WAITING:
      return "waiting";
    case WALRCV_RESTARTING:
      return "restarting";
    case WALRCV_STOPPING:
      return "stopping";
  }
  return "unknown";
}

const char* SyncState(int index, const WalSnd& sender, const SyncRepStandbyData* standbys, int count) {
  if (sender.sync_standby_priority == 0 || XLogRecPtrIsInvalid(sender.flush)) return "async";
  for (int i = 0; i < count; ++i) {
    if (standbys[i].walsnd_index == index && standbys[i].pid == sender.pid) {
      return SyncRepConfig->syncrep_method == SYNC_REP_PRIORITY ? "sync" : "quorum";
    }
  }
  return "potential";
}

void CopyAddress(char* to, const SockAddr& address) {
  if (address.addr.ss_family != AF_INET && address.addr.ss_family != AF_INET6) return;
  char host[NI_MAXHOST];
  if (pg_getnameinfo_all(&address.addr, address.salen, host, sizeof(host), nullptr, 0, NI_NUMERICHOST) != 0) return;
  strlcpy(to, host, kAddressLength);
}

void CollectSenders(RawReplication& raw) {
  SyncRepStandbyData* standbys = nullptr;
  const int standby_count = SyncRepGetCandidateStandbys(&standbys);
  raw.senders = static_cast<RawSender*>(palloc0(sizeof(RawSender) * (max_wal_senders + 1)));
  for (int i = 0; i < max_wal_senders; ++i) {
    WalSnd* shared = &WalSndCtl->walsnds[i];
    SpinLockAcquire(&shared->mutex);
    const WalSnd copy = *shared;
    SpinLockRelease(&shared->mutex);
    if (copy.pid == 0) continue;
    RawSender& sender = raw.senders[raw.sender_count++];
    sender.pid = copy.pid;
    sender.state = SenderState(copy.state);
    sender.sync_state = SyncState(i, copy, standbys, standby_count);
    sender.sent = copy.sentPtr;
    sender.write = copy.write;
    sender.flush = copy.flush;
    sender.replay = copy.apply;
    sender.write_lag_us = copy.writeLag;
    sender.flush_lag_us = copy.flushLag;
    sender.replay_lag_us = copy.applyLag;
    sender.reply_time = copy.replyTime;
    sender.logical = compat::SendsLogical(copy);
  }
  if (raw.sender_count == 0) return;
  pgstat_clear_backend_activity_snapshot();
  const int backends = pgstat_fetch_stat_numbackends();
  for (int i = 1; i <= backends; ++i) {
    const PgBackendStatus* backend = compat::BackendByIndex(i);
    for (int j = 0; backend != nullptr && j < raw.sender_count; ++j) {
      if (raw.senders[j].pid == backend->st_procpid) {
        strlcpy(raw.senders[j].application_name, backend->st_appname, NAMEDATALEN);
        CopyAddress(raw.senders[j].address, backend->st_clientaddr);
      }
    }
  }
}

void FillWalStatus(RawSlot& out, const ReplicationSlot& slot, XLogRecPtr current) {
  out.restart_lsn = slot.data.restart_lsn;
  const WALAvailability availability =
      compat::SlotInvalidated(slot) ? WALAVAIL_REMOVED : GetWALAvailability(slot.data.restart_lsn);
  switch (availability) {
    case WALAVAIL_INVALID_LSN:
      out.wal_status = "";
      return;
    case WALAVAIL_RESERVED:
      out.wal_status = "reserved";
      break;
    case WALAVAIL_EXTENDED:
      out.wal_status = "extended";
      break;
    case WALAVAIL_UNRESERVED:
      out.wal_status = "unreserved";
      break;
    case WALAVAIL_REMOVED:
      // A walsender that still reads may yet catch up; nobody else can.
      out.wal_status = !compat::SlotInvalidated(slot) && slot.active_pid != 0 ? "unreserved" : "lost";
      break;
  }
  if (strcmp(out.wal_status, "lost") == 0) {
    out.restart_lsn = InvalidXLogRecPtr;
    return;
  }
  if (max_slot_wal_keep_size_mb < 0) return;
  XLogSegNo first = 0;
  XLByteToSeg(slot.data.restart_lsn, first, wal_segment_size);
  const uint64 kept = Max(XLogMBVarToSegs(max_slot_wal_keep_size_mb, wal_segment_size),
                          XLogMBVarToSegs(wal_keep_size_mb, wal_segment_size));
  XLogRecPtr lost_at = 0;
  XLogSegNoOffsetToRecPtr(first + kept + 1, 0, wal_segment_size, lost_at);
  out.has_safe_bytes = true;
  out.safe_bytes = static_cast<std::int64_t>(lost_at - current);
}

void CollectSlots(RawReplication& raw) {
  raw.slots = static_cast<RawSlot*>(palloc0(sizeof(RawSlot) * (max_replication_slots + 1)));
  auto* copies = static_cast<ReplicationSlot*>(palloc(sizeof(ReplicationSlot) * (max_replication_slots + 1)));
  LWLockAcquire(ReplicationSlotControlLock, LW_SHARED);
  for (int i = 0; i < max_replication_slots; ++i) {
    ReplicationSlot* slot = &ReplicationSlotCtl->replication_slots[i];
    if (!slot->in_use) continue;
    SpinLockAcquire(&slot->mutex);
    copies[raw.slot_count++] = *slot;
    SpinLockRelease(&slot->mutex);
  }
  LWLockRelease(ReplicationSlotControlLock);
  const TransactionId next_xid = ReadNextTransactionId();
  for (int i = 0; i < raw.slot_count; ++i) {
    RawSlot& out = raw.slots[i];
    strlcpy(out.name, NameStr(copies[i].data.name), NAMEDATALEN);
    out.active_pid = copies[i].active_pid;
    out.logical = SlotIsLogical(&copies[i]);
    out.temporary = copies[i].data.persistency == RS_TEMPORARY;
    FillWalStatus(out, copies[i], raw.written);
    const TransactionId xmin = copies[i].effective_xmin;
    out.xmin_age = TransactionIdIsNormal(xmin) ? static_cast<int32>(next_xid - xmin) : -1;
  }
}

void CollectReceiver(RawReceiver& receiver) {
  SpinLockAcquire(&WalRcv->mutex);
  const pid_t pid = WalRcv->pid;
  receiver.state = ReceiverState(WalRcv->walRcvState);
  receiver.port = WalRcv->sender_port;
  receiver.flushed = WalRcv->flushedUpto;
  receiver.upstream_end = WalRcv->latestWalEnd;
  receiver.last_message_at = WalRcv->lastMsgReceiptTime;
  receiver.last_message_sent_at = WalRcv->lastMsgSendTime;
  receiver.timeline = static_cast<int>(WalRcv->receivedTLI);
  strlcpy(receiver.host, WalRcv->sender_host, sizeof(receiver.host));
  strlcpy(receiver.slot_name, WalRcv->slotname, sizeof(receiver.slot_name));
  const bool ready = WalRcv->ready_to_display;
  SpinLockRelease(&WalRcv->mutex);
  receiver.running = pid != 0 && ready;
}

}  // namespace

std::string UpstreamName(const RawReceiver& receiver) {
  const std::string host = receiver.host;
  if (host.empty()) return "upstream";
  return receiver.port == 0 ? host : host + ":" + std::to_string(receiver.port);
}

bool SomebodyReceives() {
  for (int i = 0; i < max_wal_senders; ++i) {
    WalSnd* shared = &WalSndCtl->walsnds[i];
    SpinLockAcquire(&shared->mutex);
    const bool there = shared->pid != 0;
    SpinLockRelease(&shared->mutex);
    if (there) return true;
  }
  return false;
}

RawReplication CollectReplication() {
  RawReplication raw{};
  raw.in_recovery = RecoveryInProgress();
  raw.slots_unbounded = max_slot_wal_keep_size_mb < 0;
  raw.sync_standbys_wanted = SyncRepConfig == nullptr ? 0 : SyncRepConfig->num_sync;
  // After the senders: what they report can then never be ahead of `current`, unless a standby has diverged.
  CollectSenders(raw);
  TimeLineID timeline = 0;
  if (raw.in_recovery) {
    raw.current = GetXLogReplayRecPtr(&timeline);
    raw.replay_paused = GetRecoveryPauseState() != RECOVERY_NOT_PAUSED;
    CollectReceiver(raw.receiver);
    raw.current = core::ReplayedOf(Max(raw.receiver.flushed, raw.receiver.upstream_end), raw.current, wal_segment_size);
    raw.written = Max(raw.receiver.flushed, raw.current);
  } else {
    raw.current = GetFlushRecPtr(&timeline);
    raw.written = raw.current;
    timeline = GetWALInsertionTimeLine();
  }
  for (int i = 0; i < raw.sender_count; ++i) {
    raw.senders[i].replay = core::ReplayedOf(raw.written, raw.senders[i].replay, wal_segment_size);
  }
  raw.timeline = static_cast<int>(timeline);
  CollectSlots(raw);
  return raw;
}

}  // namespace mfi::pg
