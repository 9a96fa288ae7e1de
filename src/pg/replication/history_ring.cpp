#include "pg/replication/history_ring.h"

#include "pg/server/shared_memory.h"

extern "C" {
#include "access/xlogdefs.h"
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
  std::uint64_t count;  // rows ever added
  Row rows[kHistoryRows];
};

constinit SharedPart<Ring> ring("mfi history");

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

void InitHistoryRing() { ring.Share(); }

void Remember(const std::vector<core::ReplicationSample>& samples) {
  const auto r = ring.Write();
  for (const core::ReplicationSample& sample : samples) r->rows[r->count++ % kHistoryRows] = ToRow(sample);
}

std::vector<core::ReplicationSample> Remembered(TimestampTz since) {
  std::vector<Row> rows;
  rows.reserve(kHistoryRows);
  {
    const auto r = ring.Read();
    const std::uint64_t first = r->count > kHistoryRows ? r->count - kHistoryRows : 0;
    for (std::uint64_t i = first; i < r->count; ++i) {
      if (r->rows[i % kHistoryRows].at >= since) rows.push_back(r->rows[i % kHistoryRows]);
    }
  }
  std::vector<core::ReplicationSample> samples;
  samples.reserve(rows.size());
  for (const Row& row : rows) samples.push_back(ToSample(row));
  return samples;
}

}  // namespace mfi::pg
