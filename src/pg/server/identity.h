#pragma once

#include <string>
#include <vector>

#include "core/backup/retention.h"
#include "os/backup/backup_directory.h"

// What this server is, in the words of core and os. Callable from C++ code with objects on the stack.
namespace mfi::pg {

/// `<host name>-<port>`: told apart from the other node even when a data directory was copied from it.
std::string NodeName();

/// The system identifier, as text.
std::string SystemIdentifier();

/// Name of the bootstrap superuser (oid 10). Needs a transaction.
std::string BootstrapSuperuser();

/// Directory of the running server's own programs.
std::string BinaryDirectory();

/// Where the server's libraries and data files are installed.
std::vector<std::string> InstallationDirectories();

/// First directory of unix_socket_directories; "localhost" when there is none.
std::string SocketDirectory();

/// Where scratch servers get their directory: mfi.scratch_directory, or the parent of the data directory.
std::string ScratchDirectory();

/// The backup directory in force, with this node's name.
os::BackupDirectory ConfiguredDirectory();

core::RetentionRule ConfiguredRetention();

/// Cron text and zone: tells one schedule from another in the records.
std::string ScheduleId();

}  // namespace mfi::pg
