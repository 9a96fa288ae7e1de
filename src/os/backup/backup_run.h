#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/backup/backup_source.h"
#include "core/backup/retention.h"
#include "core/backup/run_record.h"
#include "os/base/waiter.h"
#include "os/process/sandbox.h"
#include "os/server/standby_source.h"

namespace mfi::os {

/// What the process around a run gives it: waiting, the clock, PostgreSQL's SHA-256, and eyes on its progress.
class RunHost : public Waiter {
 public:
  virtual core::UtcSeconds Now() = 0;

  /// Lower-case hex digest of an open regular file; calls Wait now and then, so that a large file does not hold up a
  /// cancel. `shown` is its name in an error.
  virtual std::string Sha256OfFile(int fd, const std::string& shown) = 0;

  /// Called at every change of state and, while dumping, with the bytes written so far.
  virtual void Progress(core::RunState state, std::int64_t bytes) = 0;

  /// Called when a dump from the standby begins and ends.
  virtual void DumpsStandby(bool) {}
};

/// Everything a dump needs to know, resolved by the caller.
struct BackupJob {
  core::RunRecord record;  // id, trigger, database, note, slot, node, queued_at are set
  std::string directory;
  std::string data_directory;
  std::string binary_directory;  // of the server's own pg_dump
  int server_major = 0;
  std::string socket_directory;
  int port = 0;
  std::string superuser;  // name of the bootstrap superuser
  core::BackupSource source = core::BackupSource::kPrimary;
  std::string source_conninfo;  // of the standby
  StandbyLimits standby_limits;
  std::string compression;
  int jobs = 1;
  int niceness = 0;
  std::int64_t lock_timeout_ms = 0;
  core::VerifyMethod verify = core::VerifyMethod::kNone;
  std::string scratch_directory;  // an existing directory; the scratch server gets one of its own in it
  std::chrono::seconds proof_timeout{std::chrono::hours(3)};
  SandboxRules sandbox = {};                       // what the scratch server may reach of the server's installation
  std::string preload = {};                        // what this server preloads beside mfi, for the scratch server
  std::vector<std::string> preload_settings = {};  // `name=value`, which these libraries define
  bool group_read = false;
  core::RetentionRule retention;
};

/// Runs a backup to its end: dump, publish, verify, retention. Never throws: whatever happens is in the record on
/// disk and in the one returned. When the dump fails, or what was dumped proves wrong, nothing stays under a set's
/// name; when only the verification was stopped, the set stays, as not verified.
core::RunRecord RunBackup(const BackupJob& job, RunHost& host);

/// Verifies the published set `id` again and writes the result into its manifest. Returns the result: "ok", or what
/// differs. Throws Error when there is no such set or the verification could not be made.
std::string VerifySet(const BackupJob& job, const std::string& id, RunHost& host);

}  // namespace mfi::os
