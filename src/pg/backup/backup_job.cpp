#include "pg/backup/backup_job.h"

#include "pg/server/bridge.h"
#include "pg/server/identity.h"
#include "pg/server/preloaded.h"
#include "pg/server/settings.h"

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
}

namespace mfi::pg {

os::BackupJob MakeBackupJob() {
  os::BackupJob job;
  job.record.node = NodeName();
  job.directory = settings::backup_directory;
  job.data_directory = DataDir;
  job.binary_directory = BinaryDirectory();
  job.server_major = PG_VERSION_NUM / 10000;
  job.socket_directory = SocketDirectory();
  job.port = PostPortNumber;
  CallPg([] { StartTransactionCommand(); });
  job.superuser = BootstrapSuperuser();
  job.preload = OtherPreloadedLibraries();
  job.preload_settings = SettingsOfLibraries();
  CallPg([] { CommitTransactionCommand(); });
  job.source = settings::BackupSource();
  job.source_conninfo = settings::backup_source_conninfo;
  job.standby_limits = {.lag_bytes = std::int64_t{1024} * 1024 * settings::lag_warning_mb,
                        .silence_s = settings::silence_warning_s};
  job.compression = settings::backup_compression;
  job.jobs = settings::backup_jobs;
  job.niceness = settings::backup_nice;
  job.lock_timeout_ms = settings::backup_lock_timeout_ms;
  job.verify = settings::BackupVerify();
  job.scratch_directory = ScratchDirectory();
  job.proof_timeout = std::chrono::seconds(settings::proof_timeout_s);
  job.sandbox.readable = InstallationDirectories();
  job.group_read = settings::backup_group_read;
  job.retention = ConfiguredRetention();
  return job;
}

}  // namespace mfi::pg
