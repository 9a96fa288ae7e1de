#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/recovery/history.h"
#include "core/recovery/wal_file.h"
#include "core/recovery/wal_line.h"

namespace mfi::core {

/// What a server has to give.
struct ServerWal {
  History history;  // of its current timeline
  std::int64_t segment_bytes = 0;
  Lsn end = 0;               // flushed there
  bool in_recovery = false;  // then its end may still go back and forth: after a restart it replays what it has
  std::uint64_t oldest = 0;  // number of the oldest segment that it still has
  Lsn reserved = 0;          // what its slot keeps begins here
};

/// A file of the store, and how much a partial one holds.
struct StoredWal {
  WalFile file;
  std::int64_t bytes = 0;  // 0 when that is not known
};

/// From where a receiver has to begin.
struct ReceivePlan {
  Segment begin;
  std::vector<WalFile> left;         // left the history, or lie beyond the server's end: no WAL of this server any more
  std::vector<WalFile> interrupted;  // partial ones that stay as they are, since what comes is written anew
  std::optional<WalGap> gap;         // what came before `begin` and can no longer be had
  bool ahead = false;                // the store holds more than the standby has now: it has to catch up first

  friend bool operator==(const ReceivePlan&, const ReceivePlan&) = default;
};

ReceivePlan ReceiveFrom(const std::vector<StoredWal>& files, const ServerWal& server);

/// The number of the oldest segment from which on `names`, those of pg_wal, have all of the history to `end` without a
/// break; that of `end` when there is none.
std::uint64_t OldestOf(const std::vector<std::string>& names, const History& history, Lsn end,
                       std::int64_t segment_bytes);

}  // namespace mfi::core
