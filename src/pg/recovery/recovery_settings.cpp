#include "pg/recovery/recovery_settings.h"

#include "pg/server/identity.h"
#include "pg/server/settings.h"

extern "C" {
#include "miscadmin.h"
#include "postmaster/postmaster.h"
}

namespace mfi::pg {

bool RecoveryIsOn() { return settings::recovery_directory[0] != '\0'; }

os::RecoveryJob MakeRecoveryJob() {
  os::RecoveryJob job;
  job.directory = settings::recovery_directory;
  job.node = NodeName();
  job.database = settings::database;
  job.backup_directory = settings::backup_directory;
  job.data_directory = DataDir;
  job.binary_directory = BinaryDirectory();
  job.server_major = PG_VERSION_NUM / 10000;
  job.socket_directory = SocketDirectory();
  job.port = PostPortNumber;
  job.superuser = BootstrapSuperuser();
  job.niceness = settings::backup_nice;
  job.scratch_directory = ScratchDirectory();
  job.sandbox.readable = InstallationDirectories();
  job.limit = std::chrono::seconds(settings::backup_timeout_s);
  return job;
}

os::RecoveryStore ConfiguredStore() { return {settings::recovery_directory, NodeName()}; }

}  // namespace mfi::pg
