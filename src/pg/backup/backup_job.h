#pragma once

#include "os/backup/job.h"

namespace mfi::pg {

/// What the settings say of a backup or a verification. Begins and ends a transaction.
os::BackupJob MakeBackupJob();

}  // namespace mfi::pg
