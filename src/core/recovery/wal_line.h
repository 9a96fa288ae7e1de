#pragma once

#include <vector>

#include "core/recovery/history.h"
#include "core/recovery/wal_file.h"

namespace mfi::core {

/// WAL without a break.
struct WalStretch {
  Lsn from = 0;
  Lsn to = 0;  // what is certain: of a partial segment at the end its beginning
  Segment first;
  Segment last;
  bool partial = false;  // the last one

  friend bool operator==(const WalStretch&, const WalStretch&) = default;
};

/// Segments that are missing between two stretches, both inclusive. The first may be there in part.
struct WalGap {
  Segment first;
  Segment last;

  friend bool operator==(const WalGap&, const WalGap&) = default;
};

struct WalLine {
  std::vector<WalStretch> stretches;  // oldest first
  std::vector<WalGap> gaps;           // one between each stretch and the next

  friend bool operator==(const WalLine&, const WalLine&) = default;
};

/// Whether the segment is the one of its number in the history, not one of a timeline that left it, nor the older
/// timeline's of one in which another took over.
bool BelongsTo(const History& history, const Segment& segment, std::int64_t segment_bytes);

/// Which WAL of the history the files hold. `files` may be in any order and hold others, too.
WalLine LineOf(const std::vector<WalFile>& files, const History& history, std::int64_t segment_bytes);

}  // namespace mfi::core
