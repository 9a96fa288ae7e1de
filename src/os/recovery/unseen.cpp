#include "os/recovery/unseen.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "core/base/error.h"
#include "core/base/names.h"
#include "core/recovery/waldump.h"

namespace mfi::os {
namespace {

using core::Lsn;

/// Commits that were going on lie right before the position, unless they waited for a standby.
constexpr Lsn kLookBack = Lsn{64} * 1024 * 1024;

/// Numbers of those that were going on in the snapshot, and have been committed by the position.
std::vector<std::uint32_t> Committed(const std::string& snapshot, Connection& recovered) {
  std::vector<std::uint32_t> found;
  for (const Row& row :
       recovered.Query("SELECT x::pg_catalog.text FROM pg_catalog.pg_snapshot_xip(" + core::SqlLiteral(snapshot) +
                       "::pg_catalog.pg_snapshot) x WHERE pg_catalog.pg_xact_status(x) = 'committed'")) {
    found.push_back(static_cast<std::uint32_t>(std::strtoull(row[0].value_or("0").c_str(), nullptr, 10)));
  }
  return found;
}

}  // namespace

std::string AsOf(const Reference& reference, Connection& recovered, WalDump& dump, Lsn from) {
  if (reference.snapshot.empty()) return {};
  std::string subtransactions;
  const std::vector<std::uint32_t> committed = Committed(reference.snapshot, recovered);
  if (!committed.empty()) {
    // At the beginning of a segment there are records; in the middle there may be none up to its end.
    const Lsn back = reference.lsn > kLookBack ? reference.lsn - kLookBack : 0;
    const Lsn begin = std::max(from, back - back % static_cast<Lsn>(dump.segment_bytes()));
    const auto known = core::SubtransactionsIn(dump.Print(begin, reference.lsn, "--rmgr=Transaction"));
    for (const std::uint32_t transaction : committed) {
      const auto commit = known.find(transaction);
      if (commit == known.end()) {
        throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                          "transaction " + std::to_string(transaction) +
                              " was being committed when the contents were read, and its commit is not found in WAL");
      }
      for (const std::uint32_t number : commit->second) {
        subtransactions += (subtransactions.empty() ? "" : ",") + std::to_string(number);
      }
    }
  }
  return ", " + core::SqlLiteral(reference.snapshot) + ", " + core::SqlLiteral(subtransactions);
}

}  // namespace mfi::os
