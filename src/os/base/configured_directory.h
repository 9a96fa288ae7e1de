#pragma once

#include <string>

namespace mfi::os {

/// A directory that an administrator has made for files of mfi, and named in a setting.
struct ConfiguredDirectory {
  std::string path;
  std::string setting;  // `mfi.backup_directory`
  std::string what;     // `the backup directory`
  std::string off;      // what there is none of without it: `backups are off`
  std::string lost;     // a sentence: why it is not inside the data directory
};

/// Throws Error with a next step unless the path is that of an existing directory outside the data directory, which
/// belongs to this process's user and which nobody else may write to or rename.
void CheckConfigured(const ConfiguredDirectory& directory, const std::string& data_directory);

}  // namespace mfi::os
