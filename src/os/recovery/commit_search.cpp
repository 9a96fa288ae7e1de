#include "os/recovery/commit_search.h"

#include <algorithm>
#include <vector>

#include "core/recovery/waldump.h"

namespace mfi::os {
namespace {

using core::DumpedCommit;
using core::Lsn;

constexpr char kTransactions[] = "--rmgr=Transaction";

}  // namespace

/// Of the segment with this number, or of the next one that has any.
std::optional<std::int64_t> CommitSearch::FirstCommit(std::uint64_t number, Lsn from, Lsn to) {
  const auto segment = static_cast<Lsn>(dump_.segment_bytes());
  for (; number * segment < to; ++number) {
    const Lsn begin = std::max(from, number * segment);
    const std::vector<DumpedCommit> commits =
        core::CommitsIn(dump_.Print(begin, std::min(to, (number + 1) * segment), kTransactions));
    if (!commits.empty()) return commits.front().micros;
  }
  return std::nullopt;
}

std::optional<StopPoint> CommitSearch::LastAtOrBefore(std::int64_t micros, Lsn from, Lsn to) {
  const auto segment = static_cast<Lsn>(dump_.segment_bytes());
  // The first segment whose commits all come later.
  std::uint64_t low = from / segment;
  std::uint64_t high = (to + segment - 1) / segment;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const std::optional<std::int64_t> first = FirstCommit(middle, from, to);
    if (first && *first <= micros) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  std::optional<DumpedCommit> last;
  while (!last && low > from / segment) {
    --low;
    const Lsn begin = std::max(from, low * segment);
    for (const DumpedCommit& commit :
         core::CommitsIn(dump_.Print(begin, std::min(to, (low + 1) * segment), kTransactions))) {
      if (commit.micros > micros) break;
      last = commit;
    }
  }
  if (!last) return std::nullopt;
  const Lsn behind = std::min(to, (low + 2) * segment);
  const std::vector<Lsn> records = core::RecordsIn(dump_.Print(last->record, behind, "--limit=2"));
  return StopPoint{.record = last->record, .until = records.size() == 2 ? records[1] : to, .micros = last->micros};
}

}  // namespace mfi::os
