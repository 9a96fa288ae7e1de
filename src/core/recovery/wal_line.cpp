#include "core/recovery/wal_line.h"

#include <map>

namespace mfi::core {
namespace {

/// By number, whether it is whole.
std::map<std::uint64_t, bool> Own(const std::vector<WalFile>& files, const History& history,
                                  std::int64_t segment_bytes) {
  std::map<std::uint64_t, bool> own;
  for (const WalFile& file : files) {
    if (file.kind == WalFileKind::kHistory || !BelongsTo(history, file.segment, segment_bytes)) continue;
    bool& whole = own[file.segment.number];
    whole = whole || file.kind == WalFileKind::kWhole;
  }
  return own;
}

}  // namespace

bool BelongsTo(const History& history, const Segment& segment, std::int64_t segment_bytes) {
  return segment == SegmentOf(history, segment.number, segment_bytes);
}

WalLine LineOf(const std::vector<WalFile>& files, const History& history, std::int64_t segment_bytes) {
  WalLine line;
  for (const auto& [number, whole] : Own(files, history, segment_bytes)) {
    const Segment segment = SegmentOf(history, number, segment_bytes);
    const Segment next{segment.timeline, number + 1};
    const Lsn begin = BeginOf(segment, segment_bytes);
    const Lsn end = whole ? BeginOf(next, segment_bytes) : begin;
    if (!line.stretches.empty()) {
      WalStretch& before = line.stretches.back();
      if (!before.partial && before.to == begin) {
        before.to = end;
        before.last = segment;
        before.partial = !whole;
        continue;
      }
      const std::uint64_t missing = before.partial ? before.last.number : before.last.number + 1;
      line.gaps.push_back({SegmentOf(history, missing, segment_bytes), SegmentOf(history, number - 1, segment_bytes)});
    }
    line.stretches.push_back({begin, end, segment, segment, !whole});
  }
  return line;
}

}  // namespace mfi::core
