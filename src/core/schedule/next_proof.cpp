#include "core/schedule/next_proof.h"

#include <algorithm>

namespace mfi::core {

std::optional<PendingProof> ProofToRepeat(std::span<const ProofFacts> sets) {
  const ProofFacts* newest = nullptr;
  for (const ProofFacts& set : sets) {
    if (newest == nullptr || set.finished >= newest->finished) newest = &set;
  }
  if (newest == nullptr || newest->has_result || !newest->tried_at) return std::nullopt;
  const std::optional<UtcSeconds> at = NextProof(newest->attempts, *newest->tried_at);
  if (!at) return std::nullopt;
  return PendingProof{newest->id, *at};
}

bool LastRunFailed(std::span<const PastRun> oldest_first) {
  const auto last = std::find_if(oldest_first.rbegin(), oldest_first.rend(),
                                 [](const PastRun& run) { return run.finished_at && !run.cancelled; });
  return last != oldest_first.rend() && !last->succeeded;
}

}  // namespace mfi::core
