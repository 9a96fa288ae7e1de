#include "core/recovery/wal_page.h"

#include <cstring>

namespace mfi::core {
namespace {

// XLogLongPageHeaderData, as its server wrote it on a machine like this one.
constexpr std::size_t kTimelineAt = 4;
constexpr std::size_t kPositionAt = 8;
constexpr std::size_t kSystemAt = 24;

template <typename Number>
Number NumberAt(std::string_view begin, std::size_t at) {
  Number number{};
  std::memcpy(&number, begin.data() + at, sizeof(number));
  return number;
}

}  // namespace

std::string WhyNotSegment(std::string_view begin, const Segment& segment, std::int64_t segment_bytes,
                          std::string_view system_identifier) {
  begin = begin.substr(0, kSegmentHeaderBytes);
  if (begin.find_first_not_of('\0') == std::string_view::npos) return {};
  if (begin.size() < kSegmentHeaderBytes) return "It has no header.";
  const std::string system = std::to_string(NumberAt<std::uint64_t>(begin, kSystemAt));
  if (system != system_identifier) return "It is of the cluster with the system identifier " + system + ".";
  if (const auto position = NumberAt<std::uint64_t>(begin, kPositionAt); position != BeginOf(segment, segment_bytes)) {
    return "It begins at " + FormatLsn(position) + ".";
  }
  // The older one's, where its timeline took over in it.
  if (const auto timeline = NumberAt<std::uint32_t>(begin, kTimelineAt); timeline > segment.timeline) {
    return "It is of timeline " + std::to_string(timeline) + ".";
  }
  return {};
}

}  // namespace mfi::core
