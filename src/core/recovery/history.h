#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/recovery/wal_file.h"

namespace mfi::core {

/// How a timeline came about: the timelines before it, oldest first, and where the next one took over.
struct History {
  struct Ancestor {
    std::uint32_t timeline = 0;
    Lsn end = 0;

    friend bool operator==(const Ancestor&, const Ancestor&) = default;
  };

  std::uint32_t timeline = 1;
  std::vector<Ancestor> ancestors;

  friend bool operator==(const History&, const History&) = default;
};

/// Reads the text of a history file, which names each timeline after those before it. Throws Error(kDataCorrupted) when
/// it is none.
History ParseHistory(std::uint32_t timeline, std::string_view text);

/// The text of its history file, as a server reads it.
std::string FormatHistory(const History& history);

/// The timeline whose WAL has the byte at `at`, as seen from `history`'s end.
std::uint32_t TimelineAt(const History& history, Lsn at);

/// The segment of this number that belongs to the history. Of one in which a timeline took over, that of the newer:
/// it begins with the older one's part.
Segment SegmentOf(const History& history, std::uint64_t number, std::int64_t segment_bytes);

}  // namespace mfi::core
