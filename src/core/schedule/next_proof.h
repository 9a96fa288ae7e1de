#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/base/time.h"
#include "core/schedule/planner.h"

namespace mfi::core {

/// What is known of the proof of one set.
struct ProofFacts {
  std::string id;
  UtcSeconds finished = 0;  // 0: not known
  bool has_result = false;  // it was verified, whatever came of it
  int attempts = 0;         // proofs that were begun
  std::optional<UtcSeconds> tried_at;
};

struct PendingProof {
  std::string id;
  UtcSeconds at = 0;

  friend bool operator==(const PendingProof&, const PendingProof&) = default;
};

/// The proof that is to be tried again: that of the newest set (of several that finished in one second, the last), when
/// it came to no result. nullopt: none, or not any more by itself.
std::optional<PendingProof> ProofToRepeat(std::span<const ProofFacts> sets);

/// Whether the newest run that came to an end by itself failed. `oldest_first`: finished runs and others.
bool LastRunFailed(std::span<const PastRun> oldest_first);

}  // namespace mfi::core
