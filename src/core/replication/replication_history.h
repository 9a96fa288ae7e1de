#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/replication/replication.h"

namespace mfi::core {

/// Why a standby cancelled queries, in the order of pg_stat_database_conflicts.
inline constexpr std::array<const char*, 5> kConflictKinds = {"tablespace", "lock", "snapshot", "bufferpin",
                                                              "deadlock"};
using Conflicts = std::array<std::int64_t, kConflictKinds.size()>;

/// One look of the launcher at one peer; without a peer, at the node alone.
struct ReplicationSample {
  std::int64_t at_us = 0;  // any clock
  bool in_recovery = false;
  int timeline = 0;
  std::string peer;
  bool connected = false;
  Lsn wal_end = 0;  // written here, or known of the upstream
  Lsn replay = 0;
  std::optional<double> silent_for_s;
  std::int64_t wal_disk_free = 0;
  Conflicts conflicts{};  // counted since some moment
};

/// One row of mfi_replication_history(): a sample beside the one of the same peer before it.
struct HistoryRow {
  ReplicationSample sample;
  std::optional<std::int64_t> lag_bytes;
  std::optional<double> wal_bytes_per_s;
  std::optional<double> replay_bytes_per_s;
  Conflicts conflicts{};  // since the sample before
};

/// The rows since `since_us`, oldest first. `samples` come in the order of time; earlier ones serve the rates.
std::vector<HistoryRow> ReplicationHistory(const std::vector<ReplicationSample>& samples, std::int64_t since_us);

}  // namespace mfi::core
