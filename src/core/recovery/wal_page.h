#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/recovery/wal_file.h"

namespace mfi::core {

/// A segment's first page says in these what it is.
inline constexpr std::size_t kSegmentHeaderBytes = 40;

/// Why what begins so is not this segment of this cluster: `It begins at 0/4000000.`; empty: it is, or nothing of it
/// was received.
std::string WhyNotSegment(std::string_view begin, const Segment& segment, std::int64_t segment_bytes,
                          std::string_view system_identifier);

}  // namespace mfi::core
