#pragma once

#include <string>
#include <vector>

#include "core/recovery/base_record.h"
#include "os/recovery/base_limit.h"
#include "os/recovery/recovery_job.h"
#include "os/server/connection.h"

namespace mfi::os {

/// A file of the server's configuration, and its name among the copies.
struct ConfigurationFile {
  std::string name;
  std::string path;
};

/// What a base run wants to know of its server.
struct BaseServer {
  std::string system_identifier;
  std::string version;
  std::int64_t segment_bytes = 0;
  bool in_recovery = false;
  bool summarizes = false;
  std::int64_t database_bytes = 0;  // of all databases
  std::vector<core::BaseTablespace> tablespaces;
  std::vector<ConfigurationFile> configuration;  // of it, what lies outside the data directory
};

/// The node's own server, as the base run `id` asks it, by short sessions of the bootstrap superuser.
class BaseSource {
 public:
  BaseSource(const RecoveryJob& job, std::string id, BaseLimit& waiter);

  BaseServer Ask() const;

  /// Server processes that work for pg_basebackup.
  std::vector<pid_t> Backends() const;

  /// Of a standby: until a base that begins now begins at or after `end`.
  void AwaitRestartpoint(core::Lsn end) const;

  /// Until its WAL is summarized up to its last checkpoint, for ten seconds at the longest: one that works has waited
  /// for them already.
  void AwaitSummaries() const;

  /// For pg_basebackup: its server says in English why it fails, and nothing else, since after a warning the words of a
  /// failure could not be told from it.
  Session Replication() const;

 private:
  Connection Open() const;
  std::string Where(const std::string& database) const;

  const RecoveryJob& job_;
  std::string name_;
  BaseLimit& waiter_;
};

}  // namespace mfi::os
