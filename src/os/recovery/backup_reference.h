#pragma once

#include <optional>
#include <string>

#include "os/recovery/recovery_job.h"
#include "os/recovery/reference.h"
#include "os/server/connection.h"

namespace mfi::os {

/// What a backup held that was proven by a restore: read by other means than the store, at a position in WAL.
struct BackupReference {
  std::string id;
  Reference reference;
  std::uint32_t timeline = 0;
};

/// The newest such backup of job.database that was taken on a primary of this cluster; nullopt: there is none.
std::optional<BackupReference> NewestProvenBackup(const RecoveryJob& job, const std::string& system_identifier);

/// What a server that was recovered to the reference may hold: of a sequence the values that WAL logs ahead, too, by
/// the step that it has there.
core::Contents AsRecovered(core::Contents contents, Connection& recovered);

}  // namespace mfi::os
