#include "core/recovery/wal_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace mfi::core {
namespace {

constexpr std::size_t kSegmentNameLength = 24;
constexpr std::size_t kTimelineLength = 8;
constexpr std::uint64_t kBytesOfLogId = std::uint64_t{1} << 32U;

/// Eight upper-case hex digits.
std::optional<std::uint32_t> Hex(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
  std::uint32_t value = 0;
  if (text.size() != 8 || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

bool TakeEnd(std::string_view& text, std::string_view end) {
  if (!text.ends_with(end)) return false;
  text.remove_suffix(end.size());
  return true;
}

std::optional<Segment> ParseSegment(std::string_view name, std::int64_t segment_bytes) {
  if (name.size() != kSegmentNameLength) return std::nullopt;
  const auto timeline = Hex(name.substr(0, 8));
  const auto high = Hex(name.substr(8, 8));
  const auto low = Hex(name.substr(16));
  const std::uint64_t of_log_id = kBytesOfLogId / static_cast<std::uint64_t>(segment_bytes);
  if (!timeline || !high || !low || *timeline == 0 || *low >= of_log_id) return std::nullopt;
  return Segment{*timeline, *high * of_log_id + *low};
}

}  // namespace

Segment SegmentAt(std::uint32_t timeline, Lsn at, std::int64_t segment_bytes) {
  return {timeline, at / static_cast<std::uint64_t>(segment_bytes)};
}

Lsn BeginOf(const Segment& segment, std::int64_t segment_bytes) {
  return segment.number * static_cast<std::uint64_t>(segment_bytes);
}

std::string SegmentName(const Segment& segment, std::int64_t segment_bytes) {
  const std::uint64_t of_log_id = kBytesOfLogId / static_cast<std::uint64_t>(segment_bytes);
  std::array<char, kSegmentNameLength + 1> text{};
  std::snprintf(text.data(), text.size(), "%08X%08X%08X", static_cast<unsigned>(segment.timeline),
                static_cast<unsigned>(segment.number / of_log_id), static_cast<unsigned>(segment.number % of_log_id));
  return text.data();
}

std::string HistoryName(std::uint32_t timeline) {
  std::array<char, kTimelineLength + 1> text{};
  std::snprintf(text.data(), text.size(), "%08X", static_cast<unsigned>(timeline));
  return std::string(text.data()) + ".history";
}

std::optional<WalFile> ParseWalFile(std::string_view name, std::int64_t segment_bytes) {
  WalFile file;
  file.name = name;
  std::string_view rest = name;
  const bool partial = TakeEnd(rest, ".partial");
  file.compressed = TakeEnd(rest, ".lz4");
  if (!partial && TakeEnd(rest, ".history")) {
    const auto timeline = Hex(rest);
    if (!timeline || *timeline < 2) return std::nullopt;
    file.kind = WalFileKind::kHistory;
    file.segment.timeline = *timeline;
    return file;
  }
  const auto segment = ParseSegment(rest, segment_bytes);
  if (!segment) return std::nullopt;
  file.kind = partial ? WalFileKind::kPartial : WalFileKind::kWhole;
  file.segment = *segment;
  return file;
}

}  // namespace mfi::core
