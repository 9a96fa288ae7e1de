#include "os/recovery/base_unpack.h"

#include <fcntl.h>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "core/recovery/backup_manifest.h"
#include "os/base/directory_owner.h"
#include "os/base/find_program.h"
#include "os/base/unforeseen.h"
#include "os/process/child.h"
#include "os/process/private_log.h"
#include "os/recovery/base_run.h"
#include "os/restore/scratch_server.h"

namespace mfi::os {
namespace {

using core::Error;

void Extract(const std::string& archive, const std::string& directory, int niceness, Waiter& waiter) {
  const ChildResult result =
      RunCommand({FindProgram("tar"),
                  {"--extract", "--file=" + archive, "--use-compress-program=" + FindProgram("zstd"), "--no-same-owner",
                   "--directory=" + directory},
                  CleanEnvironment(),
                  niceness},
                 waiter);
  if (result.exit_code == 0) return;
  throw Error(core::sqlstate::kDataCorrupted, "\"" + archive + "\" could not be unpacked: " + ProgramWords(result));
}

void CopyManifest(const std::string& base_directory, const std::string& directory) {
  const std::string name = std::string("/") + core::kBackupManifestName;
  const std::string to = directory + name;
  WriteNewFile(AT_FDCWD, to, to, ReadFile(base_directory + name, core::kMaxBackupManifestBytes), 0600);
}

void CheckUnpacked(const RecoveryJob& job, const core::BaseRecord& base, const std::string& directory, Waiter& waiter) {
  const ChildResult result = RunCommand({job.binary_directory + "/pg_verifybackup",
                                         {"--no-parse-wal", "--quiet", directory},
                                         CleanEnvironment(),
                                         job.niceness},
                                        waiter);
  if (result.exit_code == 0) return;
  throw Error(core::sqlstate::kDataCorrupted,
              "pg_verifybackup refuses the base " + base.id + ": " + ProgramWords(result));
}

/// Files of another base are whole, too.
void CheckManifest(const std::string& base_directory, const core::BaseRecord& base) {
  const core::BackupManifest manifest = core::ParseBackupManifest(
      ReadFile(base_directory + "/" + core::kBackupManifestName, core::kMaxBackupManifestBytes));
  const bool of_cluster = manifest.system_identifier.empty() || manifest.system_identifier == base.system_identifier;
  if (of_cluster && manifest.start == base.start && manifest.end == base.end) return;
  throw Error(core::sqlstate::kDataCorrupted, "the files in \"" + base_directory + "\" are those of another base");
}

}  // namespace

void CheckRoomFor(const std::string& directory, std::int64_t bytes, const std::string& what) {
  const std::int64_t needed = bytes + bytes / 10;
  const std::int64_t free = FreeSpace(directory);
  if (free >= needed) return;
  throw Error(core::sqlstate::kDiskFull,
              "\"" + directory + "\" has " + core::FormatBytes(free) + " free, " + what + " is expected to need " +
                  core::FormatBytes(needed),
              {}, "Free some space on that file system.");
}

void UnpackFrom(const std::string& base_directory, const core::BaseRecord& base, const std::string& directory,
                int niceness, Waiter& waiter) {
  Extract(base_directory + "/base.tar.zst", directory, niceness, waiter);
  for (const core::BaseTablespace& tablespace : base.tablespaces) {
    const std::string oid = std::to_string(tablespace.oid);
    const std::string place = directory + "/pg_tblspc/" + oid;
    if (!IsDirectory(place)) MakeDirectory(place, 0700);
    Extract(base_directory + "/" + oid + ".tar.zst", place, niceness, waiter);
  }
  CopyManifest(base_directory, directory);
}

void UnpackBase(const RecoveryStore& store, const core::BaseRecord& base, const std::string& directory, int niceness,
                Waiter& waiter) {
  UnpackFrom(store.BasePath(base.id), base, directory, niceness, waiter);
}

void UnpackVerified(const RecoveryJob& job, const RecoveryStore& store, const core::BaseRecord& base,
                    const std::string& directory, Waiter& waiter) {
  CheckManifest(store.BasePath(base.id), base);
  UnpackBase(store, base, directory, job.niceness, waiter);
  CheckUnpacked(job, base, directory, waiter);
}

void VerifyBase(const RecoveryJob& job, const std::string& base_directory, const core::BaseRecord& base,
                Waiter& waiter) {
  CheckScratchParent(job.scratch_directory);
  CheckRoomFor(job.scratch_directory, base.data_bytes, "the base that is verified");
  const UnforeseenDirectory scratch(ScratchPath(job.scratch_directory, job.node));
  UnpackFrom(base_directory, base, scratch.path(), job.niceness, waiter);
  CheckUnpacked(job, base, scratch.path(), waiter);
}

}  // namespace mfi::os
