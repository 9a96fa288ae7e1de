#pragma once

#include <string>

#include "core/manifest.h"
#include "os/scratch_server.h"

namespace mfi::os {

struct ProofJob {
  ScratchOptions scratch;  // its superuser is chosen by the proof
  int jobs = 1;            // of pg_restore
};

/// Bytes a restore of this set needs below the scratch directory, by the size of its source.
std::int64_t RoomForProof(const core::Manifest& manifest);

/// Restores the set in `set_path` in a scratch server and compares it with the manifest: "ok", or what differs, or why
/// it cannot be restored. No superuser restores what a role without SUPERUSER can have written; what only a superuser
/// may make is restored in a whole sandbox only. Throws Error when the proof itself could not be made (no scratch
/// server, stopped, objects of superusers without a whole sandbox).
std::string ProveByRestore(const ProofJob& job, const core::Manifest& manifest, const std::string& set_path,
                           Waiter& waiter);

}  // namespace mfi::os
