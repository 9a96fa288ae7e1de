#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/recovery/base_record.h"
#include "core/recovery/wal_line.h"

namespace mfi::core {

/// What can be recovered: from the end of a base to where the WAL after it breaks off.
struct ReachedStretch {
  std::string base;           // the oldest one that begins it
  UtcSeconds from = 0;        // when that was finished
  Lsn from_lsn = 0;           // its end
  Lsn to = 0;                 // of the stretch of WAL; of the segment that is being received its end
  bool to_newest = false;     // nothing is missing up to what is received now
  std::optional<WalGap> gap;  // what ends it
};

/// Oldest first; stretches of WAL to which no whole chain belongs are left out.
std::vector<ReachedStretch> ReachOf(const std::vector<BaseRecord>& bases, const WalLine& line);

}  // namespace mfi::core
