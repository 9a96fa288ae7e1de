#pragma once

#include <string>

#include "core/backup/manifest.h"
#include "core/offsite/restic_output.h"
#include "os/offsite/restic.h"

namespace mfi::os {

/// Copies a set, with all its files, under its id and the time it was finished. Throws ResticFailure, and Error(XX001)
/// when what was read there is not what the manifest names.
core::CopySummary CopySet(const Restic& restic, const std::string& backup_directory, const core::Manifest& manifest);

/// Copies the recovery store of a node, as far as it is there when this begins: what is received, moved or removed
/// meanwhile is copied again. Throws ResticFailure.
core::CopySummary CopyStore(const Restic& restic, const std::string& recovery_directory, const std::string& node);

/// Has the repository know the packs that a copy has left there which did not come to its end, so that the next one
/// does not send them again. Throws ResticFailure while another run has the repository, such as that very copy, which
/// has not ended yet: a copy would be allowed meanwhile, and would send all again. What else fails here fails again,
/// with its words, in the copy.
void TakeUpInterrupted(const Restic& restic);

/// Restores what a snapshot holds, such as the directory of a set, into `directory`. Throws ResticFailure.
void FetchCopy(const Restic& restic, const std::string& snapshot, const std::string& directory);

}  // namespace mfi::os
