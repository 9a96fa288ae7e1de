// Any name is no file of WAL, or one whose segment has that name again; and any text is either refused with an Error or
// a history in which each segment belongs to one of its timelines.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/recovery/history.h"
#include "core/recovery/wal_file.h"

namespace {

using namespace mfi::core;

void CheckName(std::string_view text, std::int64_t segment_bytes) {
  const auto file = ParseWalFile(text, segment_bytes);
  if (!file) return;
  const std::string name = file->kind == WalFileKind::kHistory ? HistoryName(file->segment.timeline)
                                                               : SegmentName(file->segment, segment_bytes);
  if (!text.starts_with(name)) std::abort();
}

void CheckHistory(std::string_view text, std::int64_t segment_bytes) {
  constexpr std::uint32_t kTimeline = 1000;
  try {
    const History history = ParseHistory(kTimeline, text);
    std::uint32_t before = 0;
    for (const History::Ancestor& ancestor : history.ancestors) {
      if (ancestor.timeline <= before || ancestor.timeline >= kTimeline) std::abort();
      before = ancestor.timeline;
      if (TimelineAt(history, ancestor.end) <= ancestor.timeline) std::abort();
      const std::uint64_t number = SegmentAt(0, ancestor.end, segment_bytes).number;
      if (SegmentOf(history, number, segment_bytes).timeline <= ancestor.timeline) std::abort();
    }
  } catch (const Error&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::int64_t bytes = 1024 * 1024; bytes <= 1024 * 1024 * 1024; bytes *= 2) {
    CheckName(text, bytes);
    CheckHistory(text, bytes);
  }
  return 0;
}
