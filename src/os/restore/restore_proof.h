#pragma once

#include <string>

#include "core/backup/manifest.h"
#include "os/restore/scratch_server.h"

namespace mfi::os {

struct ProofJob {
  ScratchOptions scratch;  // its superuser is chosen by the proof
  int jobs = 1;            // of pg_restore
};

/// Bytes a restore of this set needs below the scratch directory, by the size of its source.
std::int64_t RoomForProof(const core::Manifest& manifest);

struct Proof {
  std::string result;  // "ok", or what differs
  std::string remark;  // what could not be done, though tables are compared without it; empty otherwise
};

/// Restores the set in `set_path` in a scratch server that is like the source, and compares it with the manifest. No
/// superuser restores what a role without SUPERUSER can have written; what only a superuser may make is restored in a
/// whole sandbox only. Throws Error when the proof could not be made, or did not come to its end (no scratch server,
/// killed, not restorable, objects of superusers without a whole sandbox).
Proof ProveByRestore(const ProofJob& job, const core::Manifest& manifest, const std::string& set_path, Waiter& host);

}  // namespace mfi::os
