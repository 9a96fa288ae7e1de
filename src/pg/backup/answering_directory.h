#pragma once

#include "os/backup/backup_directory.h"

namespace mfi::pg {

/// Whether the file system of the backup directory answers, for a verdict; as DirectoryAnswers does.
bool BackupDirectoryAnswers();

/// The backup directory in force, for a session that wants something of it. Throws when its file system does not answer
/// for longer.
os::BackupDirectory AnsweringDirectory();

}  // namespace mfi::pg
