#include "os/recovery/wal_dump.h"

#include <utility>
#include <vector>

#include "core/base/error.h"
#include "os/base/file.h"
#include "os/process/child.h"
#include "os/recovery/wal_fetch.h"

namespace mfi::os {
namespace {

using core::Lsn;

/// Times are read in UTC, whatever zone this machine has.
std::vector<std::string> InUtc() {
  std::vector<std::string> environment = CleanEnvironment();
  std::erase_if(environment, [](const std::string& entry) { return entry.starts_with("TZ="); });
  environment.emplace_back("TZ=UTC");
  return environment;
}

}  // namespace

WalDump::WalDump(const RecoveryJob& job, const RecoveryStore& store, core::History history, std::int64_t segment_bytes,
                 std::string work_directory, Waiter& waiter)
    : job_(job),
      store_(store),
      history_(std::move(history)),
      segment_bytes_(segment_bytes),
      work_directory_(std::move(work_directory)),
      waiter_(waiter) {}

/// pg_waldump reads one timeline; a segment of an older one has the same bytes where the newer goes on.
void WalDump::Decode(std::uint64_t number) {
  const std::string path = work_directory_ + "/" + core::SegmentName({history_.timeline, number}, segment_bytes_);
  if (Exists(path)) return;
  const core::Segment segment = core::SegmentOf(history_, number, segment_bytes_);
  if (FetchSegment(store_, segment, segment_bytes_, path, waiter_).found) return;
  throw core::Error(core::sqlstate::kUndefinedFile, "segment " + core::SegmentName(segment, segment_bytes_) +
                                                        " is not in \"" + store_.WalPath() + "\"");
}

std::string WalDump::Print(Lsn start, Lsn end, const std::string& more) {
  const auto segment = static_cast<Lsn>(segment_bytes_);
  for (std::uint64_t number = start / segment; number * segment < end; ++number) Decode(number);
  return RunCommand({job_.binary_directory + "/pg_waldump",
                     {"--path=" + work_directory_, "--timeline=" + std::to_string(history_.timeline),
                      "--start=" + core::FormatLsn(start), "--end=" + core::FormatLsn(end), more},
                     InUtc(),
                     job_.niceness},
                    waiter_)
      .output;
}

}  // namespace mfi::os
