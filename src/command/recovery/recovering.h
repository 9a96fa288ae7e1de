#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "command/base/command_host.h"
#include "command/base/progress.h"
#include "command/recovery/recover.h"
#include "command/recovery/stores.h"
#include "os/recovery/recovered_server.h"

namespace mfi::command {

/// Where a recovery shall end.
struct RecoveryTarget {
  std::optional<std::int64_t> micros;  // a time
  core::Lsn lsn = 0;
  std::string xid;
  bool latest = false;

  /// For the recovered server; none where WAL ends for it where the target is.
  std::vector<std::string> Settings() const;

  /// As a person reads it.
  std::string Words() const;
};

/// Throws Error unless exactly one target is named, and is one.
RecoveryTarget TargetOf(const RecoverOptions& options, core::UtcSeconds now);

/// What every recovery by an operator does: finds the store that reaches the target, and replays to it. The server that
/// it leaves takes writes, and has nothing behind the target.
class Recovering {
 public:
  /// `path`: of the stores. `system_identifier`: of the server it is for; empty: any. `scratch`: where it works.
  /// `settings`: `name=value`, of its sessions.
  Recovering(RecoveryTarget target, const std::string& path, const std::string& system_identifier, std::string scratch,
             std::vector<std::string> settings, CommandHost& host, std::ostream& out);

  void Run();

  os::RecoveredServer& server() { return *server_; }
  const os::RecoveryJob& job() const { return job_; }
  const os::RecoveryStore& store() const { return found_->store; }
  const core::BaseRecord& base() const { return start_->chain.back(); }

  /// Time of the last commit that is there, microseconds since 1970; 0: not known.
  std::int64_t last_commit() const { return last_commit_; }

 private:
  void Choose(std::vector<FoundStore> stores, const std::string& system_identifier);
  void FindEnd();
  void CheckNoDatabaseGoes();
  void Say(const std::string& line);

  RecoveryTarget target_;
  std::string scratch_;
  std::vector<std::string> settings_;
  CommandHost& host_;
  std::ostream& out_;
  std::unique_ptr<FoundStore> found_;
  std::optional<Start> start_;
  os::RecoveryJob job_;
  std::unique_ptr<os::RecoveredServer> server_;
  core::Lsn until_ = 0;   // replay sees nothing behind
  core::Lsn record_ = 0;  // one that it must have replayed
  std::int64_t last_commit_ = 0;
};

}  // namespace mfi::command
