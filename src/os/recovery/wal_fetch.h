#pragma once

#include <cstdint>
#include <string>

#include "core/recovery/wal_file.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

/// What a segment's file in the store gave.
struct FetchedSegment {
  bool found = false;
  std::int64_t bytes = 0;  // that were received; what follows is zeros
};

/// Writes the segment as a server reads it to `target`, which appears by one rename: the whole one, else of those that
/// were being received (in wal/ and aside/) the one that holds the most, filled up with zeros. Reads plain files and
/// lz4's; what lies behind the end of lz4's frame, as a receiver leaves it that wrote over a longer file, counts for
/// nothing. Throws Error(kDataCorrupted) for a whole segment that cannot be decoded, or has not its size.
FetchedSegment FetchSegment(const RecoveryStore& store, const core::Segment& segment, std::int64_t segment_bytes,
                            const std::string& target, Waiter& waiter);

}  // namespace mfi::os
