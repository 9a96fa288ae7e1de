#pragma once

#include "os/backup/backup_directory.h"

namespace mfi::pg {

/// Whether the file system of the backup directory answers: a process of its own lists the directory and reads from it
/// first, which can be killed where this session could not. False when it takes longer than a second, as where a mount
/// hangs.
bool BackupDirectoryAnswers();

/// The backup directory in force, for a session. Throws when its file system does not answer.
os::BackupDirectory AnsweringDirectory();

}  // namespace mfi::pg
