#pragma once

#include "os/backup/backup_directory.h"

namespace mfi::pg {

/// Whether the file system of the backup directory answers, for a verdict: a process of its own lists the directory and
/// reads from it first, which can be killed where this session could not. False when that takes nearly two seconds, as
/// where a mount hangs.
bool BackupDirectoryAnswers();

/// The backup directory in force, for a session that wants something of it. Throws when its file system does not answer
/// for longer.
os::BackupDirectory AnsweringDirectory();

}  // namespace mfi::pg
