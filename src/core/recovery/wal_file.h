#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/lsn.h"

// Names of WAL files, as pg_receivewal writes them.
namespace mfi::core {

/// A piece of one timeline's WAL. `number` counts from the beginning of WAL, in pieces of the cluster's segment size.
struct Segment {
  std::uint32_t timeline = 0;
  std::uint64_t number = 0;

  friend auto operator<=>(const Segment&, const Segment&) = default;  // NOLINT(modernize-use-nullptr)
};

/// The segment in which the WAL of this timeline has this position.
Segment SegmentAt(std::uint32_t timeline, Lsn at, std::int64_t segment_bytes);

/// Where it begins.
Lsn BeginOf(const Segment& segment, std::int64_t segment_bytes);

/// `000000020000000000000005`.
std::string SegmentName(const Segment& segment, std::int64_t segment_bytes);

/// `00000002.history`.
std::string HistoryName(std::uint32_t timeline);

enum class WalFileKind { kWhole, kPartial, kHistory };

/// A file of the receiver: a whole segment, one that is being received or was when the receiver ended, or the history
/// of a timeline.
struct WalFile {
  WalFileKind kind = WalFileKind::kWhole;
  Segment segment;          // of a history the timeline alone
  bool compressed = false;  // by lz4
  std::string name;

  friend bool operator==(const WalFile&, const WalFile&) = default;
};

/// nullopt for a name that is none of these.
std::optional<WalFile> ParseWalFile(std::string_view name, std::int64_t segment_bytes);

}  // namespace mfi::core
