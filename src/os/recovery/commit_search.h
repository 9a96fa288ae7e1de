#pragma once

#include <cstdint>
#include <optional>

#include "os/recovery/wal_dump.h"

namespace mfi::os {

/// Where replay has to end so that it has a commit, and nothing behind it.
struct StopPoint {
  core::Lsn record = 0;  // where the commit's record begins
  core::Lsn until = 0;   // where the next one begins
  std::int64_t micros = 0;
};

/// The last commit at or before a moment, of those between two positions. A server's own recovery to a time goes on to
/// the next commit, and has then done what is not undone, such as removing a dropped database's files: so that position
/// is looked for. Commits are taken to be in the order of their times, as they are while no clock is set back.
class CommitSearch {
 public:
  explicit CommitSearch(WalDump& dump) : dump_(dump) {}

  /// nullopt: no commit between `from` and `to` is so early. `until` is `to` when nothing follows.
  std::optional<StopPoint> LastAtOrBefore(std::int64_t micros, core::Lsn from, core::Lsn to);

 private:
  std::optional<std::int64_t> FirstCommit(std::uint64_t number, core::Lsn from, core::Lsn to);

  WalDump& dump_;
};

}  // namespace mfi::os
