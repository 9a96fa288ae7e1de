#include "os/recovery/wal_check.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"
#include "os/process/child.h"
#include "os/process/private_log.h"

namespace mfi::os {

/// pg_waldump reads one timeline; a segment of an older one has the same bytes where the newer goes on.
void CheckWalOfBase(const RecoveryJob& job, const core::BaseRecord& base, const core::History& history,
                    const std::string& wal_directory, const std::string& work_directory, Waiter& waiter) {
  MakeDirectory(work_directory, 0700);
  const std::uint64_t last = core::SegmentAt(0, base.end - 1, base.segment_bytes).number;
  for (std::uint64_t number = core::SegmentAt(0, base.start, base.segment_bytes).number; number <= last; ++number) {
    const std::string path = work_directory + "/" + core::SegmentName({base.timeline, number}, base.segment_bytes);
    const std::string there =
        wal_directory + "/" +
        core::SegmentName(core::SegmentOf(history, number, base.segment_bytes), base.segment_bytes);
    if (symlink(there.c_str(), path.c_str()) != 0) ThrowErrno(errno, "create", path);
  }
  const ChildResult result =
      RunCommand({.program = job.binary_directory + "/pg_waldump",
                  .arguments = {"--quiet", "--path=" + work_directory, "--timeline=" + std::to_string(base.timeline),
                                "--start=" + core::FormatLsn(base.start), "--end=" + core::FormatLsn(base.end)},
                  .environment = CleanEnvironment(),
                  .niceness = job.niceness},
                 waiter);
  RemoveTree(work_directory);
  if (result.exit_code == 0) return;
  throw core::Error(core::sqlstate::kDataCorrupted,
                    "the WAL that base " + base.id + " needs, from " + core::FormatLsn(base.start) + " to " +
                        core::FormatLsn(base.end) + ", is damaged: " + ProgramWords(result),
                    {}, "A new full base begins a new chain: SELECT mfi_recovery_base_now(true).");
}

}  // namespace mfi::os
