#include "os/recovery/base_wal.h"

#include "core/recovery/wal_file.h"
#include "os/recovery/wal_fetch.h"

namespace mfi::os {
namespace {

constexpr std::chrono::milliseconds kLookAgain{500};

}  // namespace

void AwaitWal(const RecoveryStore& store, const core::BaseRecord& base, const std::string& scratch, BaseLimit& limit) {
  const core::Segment segment = core::SegmentAt(base.timeline, base.end - 1, base.segment_bytes);
  const auto needed = static_cast<std::int64_t>(base.end - core::BeginOf(segment, base.segment_bytes));
  limit.SetDoing("waited for the WAL receiver: the store has no WAL up to " + core::FormatLsn(base.end) + " (segment " +
                 core::SegmentName(segment, base.segment_bytes) + ")");
  const std::string target = scratch + "/wal";
  for (;;) {
    const FetchedSegment fetched = FetchSegment(store, segment, base.segment_bytes, target, limit);
    RemoveTree(target);
    if (fetched.found && fetched.bytes >= needed) return;
    limit.Wait(-1, false, kLookAgain);
  }
}

}  // namespace mfi::os
