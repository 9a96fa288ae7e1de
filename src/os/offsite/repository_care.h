#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/offsite/keep_rule.h"
#include "core/offsite/offsite_state.h"
#include "os/offsite/restic.h"

namespace mfi::os {

/// Lets go what runs of this machine's user have left locked that are not there any more; locks of anybody else stay,
/// and so do all while one of those is there. Throws ResticFailure.
void ReleaseOwnLocks(const Restic& restic);

/// Whether the credentials here can delete, found out by trying it on a snapshot made for that. Sets probe and
/// deletable of the state. Throws ResticFailure when it could not be found out.
void ProbeDeletion(const Restic& restic, core::OffsiteState& state);

/// Reads the repository's structure and one part of its data. Returns "", or what is damaged, in restic's words. Throws
/// ResticFailure when the repository does not answer.
std::string CheckPart(const Restic& restic, int part);

/// What retention has let go.
struct Forgotten {
  std::vector<std::string> snapshots;
  std::string refused;  // why others that it was to let go are still there; empty: there are none
};

/// Lets go the snapshots of this cluster that the rule does not keep, and what only they needed: sets by the whole
/// rule, recovery stores by its days alone, at least the last two of each node.
Forgotten Forget(const Restic& restic, const std::vector<core::KeptPeriods>& rule);

}  // namespace mfi::os
