#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/backup/backup_source.h"
#include "core/backup/retention.h"
#include "core/backup/run_record.h"
#include "os/process/sandbox.h"
#include "os/server/standby_source.h"

namespace mfi::os {

/// Everything a backup or a verification needs to know, resolved by the caller. A verification reads of the record only
/// its node.
struct BackupJob {
  core::RunRecord record;  // id, trigger, database, note, slot, node, queued_at are set
  std::string directory;
  std::string data_directory;
  std::string binary_directory;  // of the server's own pg_dump
  int server_major = 0;
  std::string socket_directory;
  int port = 0;
  std::string superuser;      // name of the bootstrap superuser
  std::string keywords = {};  // further ones of its sessions, each with a space before it
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

}  // namespace mfi::os
