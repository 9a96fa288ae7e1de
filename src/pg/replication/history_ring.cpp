#include "pg/replication/history_ring.h"

extern "C" {
#include "storage/ipc.h"
#include "storage/shmem.h"
}

namespace mfi::pg {
namespace {

struct Row {
  TimestampTz at;
  XLogRecPtr wal_end;
  XLogRecPtr replay;
  std::int64_t wal_disk_free;
  float silent_for_s;  // negative: not known
  int timeline;
  std::uint32_t conflicts[core::kConflictKinds.size()];
  bool in_recovery;
  bool connected;
  char peer[NAMEDATALEN];
};

struct Ring {
  LWLock* lock;
  std::uint64_t count;  // rows ever added
  Row rows[kHistoryRows];
};

Ring* ring = nullptr;

class RingLock {
 public:
  explicit RingLock(LWLockMode mode) { LWLockAcquire(ring->lock, mode); }
  ~RingLock() { LWLockRelease(ring->lock); }
  RingLock(const RingLock&) = delete;
  RingLock& operator=(const RingLock&) = delete;
};

Row ToRow(const core::ReplicationSample& sample) {
  Row row{.at = sample.at_us,
          .wal_end = sample.wal_end,
          .replay = sample.replay,
          .wal_disk_free = sample.wal_disk_free,
          .silent_for_s = static_cast<float>(sample.silent_for_s.value_or(-1)),
          .timeline = sample.timeline,
          .in_recovery = sample.in_recovery,
          .connected = sample.connected};
  for (std::size_t i = 0; i < sample.conflicts.size(); ++i) {
    row.conflicts[i] = static_cast<std::uint32_t>(sample.conflicts[i]);
  }
  strlcpy(row.peer, sample.peer.c_str(), sizeof(row.peer));
  return row;
}

core::ReplicationSample ToSample(const Row& row) {
  core::ReplicationSample sample{.at_us = row.at,
                                 .in_recovery = row.in_recovery,
                                 .timeline = row.timeline,
                                 .peer = row.peer,
                                 .connected = row.connected,
                                 .wal_end = row.wal_end,
                                 .replay = row.replay,
                                 .wal_disk_free = row.wal_disk_free};
  if (row.silent_for_s >= 0) sample.silent_for_s = row.silent_for_s;
  for (std::size_t i = 0; i < sample.conflicts.size(); ++i) sample.conflicts[i] = row.conflicts[i];
  return sample;
}

}  // namespace

void RequestHistoryMemory() { RequestAddinShmemSpace(MAXALIGN(sizeof(Ring))); }

void FindHistoryMemory(LWLock* lock) {
  bool found = false;
  ring = static_cast<Ring*>(ShmemInitStruct("mfi history", sizeof(Ring), &found));
  if (found) return;
  ring->lock = lock;
  ring->count = 0;
}

void Remember(const std::vector<core::ReplicationSample>& samples) {
  const RingLock lock(LW_EXCLUSIVE);
  for (const core::ReplicationSample& sample : samples) ring->rows[ring->count++ % kHistoryRows] = ToRow(sample);
}

std::vector<core::ReplicationSample> Remembered(TimestampTz since) {
  std::vector<Row> rows;
  rows.reserve(kHistoryRows);
  {
    const RingLock lock(LW_SHARED);
    const std::uint64_t first = ring->count > kHistoryRows ? ring->count - kHistoryRows : 0;
    for (std::uint64_t i = first; i < ring->count; ++i) {
      if (ring->rows[i % kHistoryRows].at >= since) rows.push_back(ring->rows[i % kHistoryRows]);
    }
  }
  std::vector<core::ReplicationSample> samples;
  samples.reserve(rows.size());
  for (const Row& row : rows) samples.push_back(ToSample(row));
  return samples;
}

}  // namespace mfi::pg
