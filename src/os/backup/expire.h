#pragma once

#include <string>
#include <vector>

#include "core/backup/retention.h"
#include "os/backup/backup_directory.h"

namespace mfi::os {

/// What retention would do now with each set of `database`, those that were set aside included. The same answer serves
/// the preview and Expire.
std::vector<core::RetentionDecision> PreviewExpiry(const BackupDirectory& directory, const std::string& database,
                                                   const std::string& system_identifier,
                                                   const core::RetentionRule& rule, core::UtcSeconds now);

/// Deletes the sets that PreviewExpiry would delete and marks their runs expired. Does nothing while another process
/// holds the directory's removal lock. A set that cannot be deleted keeps none of the others; then throws Error.
void Expire(const BackupDirectory& directory, const std::string& database, const std::string& system_identifier,
            const core::RetentionRule& rule, core::UtcSeconds now);

/// The same for the sets alone that were set aside: for a run that has just added one.
void ExpireFailed(const BackupDirectory& directory, const std::string& database, const std::string& system_identifier,
                  const core::RetentionRule& rule, core::UtcSeconds now);

/// What waits for its copy elsewhere may not take the room of the next backups: whether there is enough for both.
bool HasRoomForUncopied(const BackupDirectory& directory, const std::vector<StoredSet>& sets);

}  // namespace mfi::os
