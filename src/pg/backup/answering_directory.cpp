#include "pg/backup/answering_directory.h"

#include <string>

#include "core/base/error.h"
#include "pg/server/answering.h"
#include "pg/server/identity.h"
#include "pg/server/settings.h"

namespace mfi::pg {

bool BackupDirectoryAnswers() { return DirectoryAnswers(settings::backup_directory, kVerdictWaits); }

os::BackupDirectory AnsweringDirectory() {
  if (!DirectoryAnswers(settings::backup_directory, kOthersWait)) {
    throw core::Error("58030",
                      std::string("the backup directory \"") + settings::backup_directory + "\" does not answer",
                      "Its file system did not list it and give one byte of a file in time. Nothing was changed.",
                      "Look at the mount (a network share whose server is gone?), then call it again.");
  }
  return ConfiguredDirectory();
}

}  // namespace mfi::pg
