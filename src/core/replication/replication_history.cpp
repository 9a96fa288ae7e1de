#include "core/replication/replication_history.h"

#include <map>

namespace mfi::core {
namespace {

std::optional<double> Rate(Lsn before, Lsn now, double elapsed_s) {
  if (before == 0 || now < before || elapsed_s <= 0) return std::nullopt;
  return static_cast<double>(now - before) / elapsed_s;
}

/// A counter that went back has begun anew.
std::int64_t Counted(std::int64_t before, std::int64_t now) { return now >= before ? now - before : now; }

HistoryRow Compare(const ReplicationSample& now, const ReplicationSample* before) {
  HistoryRow entry{.sample = now};
  if (now.replay != 0 && now.wal_end != 0) entry.lag_bytes = static_cast<std::int64_t>(now.wal_end - now.replay);
  if (before == nullptr || before->in_recovery != now.in_recovery) return entry;
  const double elapsed_s = static_cast<double>(now.at_us - before->at_us) / 1e6;
  entry.wal_bytes_per_s = Rate(before->wal_end, now.wal_end, elapsed_s);
  entry.replay_bytes_per_s = Rate(before->replay, now.replay, elapsed_s);
  for (std::size_t i = 0; i < now.conflicts.size(); ++i) {
    entry.conflicts[i] = Counted(before->conflicts[i], now.conflicts[i]);
  }
  return entry;
}

}  // namespace

std::vector<HistoryRow> ReplicationHistory(const std::vector<ReplicationSample>& samples, std::int64_t since_us) {
  std::map<std::string, const ReplicationSample*> newest;
  std::vector<HistoryRow> entries;
  for (const ReplicationSample& sample : samples) {
    const ReplicationSample*& before = newest[sample.peer];
    if (sample.at_us >= since_us) entries.push_back(Compare(sample, before));
    before = &sample;
  }
  return entries;
}

}  // namespace mfi::core
