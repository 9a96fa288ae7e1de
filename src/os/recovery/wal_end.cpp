#include "os/recovery/wal_end.h"

#include <algorithm>
#include <string_view>

#include "core/base/error.h"
#include "core/recovery/wal_line.h"
#include "os/process/child.h"
#include "os/recovery/wal_fetch.h"

namespace mfi::os {
namespace {

using core::Lsn;
using core::Segment;

constexpr std::size_t kTail = std::size_t{64} * 1024;  // of what pg_waldump prints

/// The position in the last line `rmgr: … lsn: 0/015008C8, prev …`; 0 when there is none.
Lsn LastRecordIn(std::string_view printed) {
  constexpr std::string_view kMark = " lsn: ";
  const std::size_t at = printed.rfind(kMark);
  if (at == std::string_view::npos) return 0;
  printed.remove_prefix(at + kMark.size());
  return core::ParseLsn(printed.substr(0, printed.find(','))).value_or(0);
}

}  // namespace

core::History NewestHistory(const RecoveryStore& store, std::int64_t segment_bytes) {
  std::uint32_t newest = 0;
  for (const core::WalFile& file : store.Wal(segment_bytes)) newest = std::max(newest, file.segment.timeline);
  if (newest == 0) {
    throw core::Error(core::sqlstate::kUndefinedFile, "there is no WAL in \"" + store.WalPath() + "\"", {},
                      "SELECT * FROM mfi_recovery on the node tells whether it is received.");
  }
  return store.HistoryOf(newest, segment_bytes);
}

/// A record can be longer than a segment, and one that is being received may hold none yet: then it begins earlier.
/// pg_waldump reads one timeline; a segment of an older one has the same bytes where the newer goes on. Without an end
/// it waits five seconds for a segment that is not there.
WalReach FindWalReach(const RecoveryJob& job, const RecoveryStore& store, const core::History& history,
                      std::int64_t segment_bytes, const std::string& work_directory, Waiter& waiter) {
  const core::WalLine line = core::LineOf(store.Wal(segment_bytes), history, segment_bytes);
  WalReach reach;
  if (line.stretches.empty()) return reach;
  const core::WalStretch& last = line.stretches.back();
  std::uint64_t number = last.last.number;
  reach.to = (number + 1) * static_cast<Lsn>(segment_bytes);
  for (;; --number) {
    const Segment named{history.timeline, number};
    FetchSegment(store, core::SegmentOf(history, number, segment_bytes), segment_bytes,
                 work_directory + "/" + core::SegmentName(named, segment_bytes), waiter);
    const ChildResult result =
        RunCommand({.program = job.binary_directory + "/pg_waldump",
                    .arguments = {"--path=" + work_directory, "--timeline=" + std::to_string(history.timeline),
                                  "--start=" + core::FormatLsn(core::BeginOf(named, segment_bytes)),
                                  "--end=" + core::FormatLsn(reach.to)},
                    .environment = CleanEnvironment(),
                    .niceness = job.niceness,
                    .kept_output = kTail},
                   waiter);
    reach.last_record = LastRecordIn(result.output);
    if (reach.last_record != 0 || number == last.first.number) return reach;
  }
}

}  // namespace mfi::os
