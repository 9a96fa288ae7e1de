#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/manifest.h"
#include "os/backup_run.h"
#include "os/connection.h"

namespace mfi::os {

/// The steps of a dump into `partial` (an existing directory), in the order RunBackup takes them. Each fills what it
/// learns into the manifest, and throws core::Error when the set cannot become a good one.
class Dump {
 public:
  Dump(const BackupJob& job, RunHost& host, std::string partial);

  /// pg_dump, pg_dumpall and pg_restore are there and of the server's major version.
  void CheckPrograms();

  /// Takes a snapshot, records where and when, dumps the database in it and counts its rows beside the dump.
  void DumpDatabase(core::Manifest& manifest);

  /// The same on the standby that the job names; throws Error(55000) when it is not fit for it. Returns what is to be
  /// said of that standby; usually nothing.
  std::string DumpStandby(core::Manifest& manifest);

  /// Roles and tablespaces, mode 0600.
  void DumpGlobals();

  /// Lists the archive in `partial`; throws Error when a table's data is not in it.
  void CheckListing(core::Manifest& manifest);

  /// Throws what the host has to say when the server is stopping or crashing. Its postmaster ends one process after the
  /// other, so pg_dump may have lost its session before this process is told; it answers when all have been told.
  void HearFromPostmaster();

  /// Name of the archive inside a set.
  std::string ArchiveName() const;

 private:
  struct Standby {
    Session session;
    std::unique_ptr<Connection> connection;
  };

  Session Open(SessionKind kind, const std::string& where) const;
  Session OnPrimary() const;
  Session OnStandby(SessionKind kind) const;
  Standby ConnectToStandby();
  void DumpSnapshot(Connection& source, const Session& session, bool local, const std::string& snapshot,
                    core::Manifest& manifest);
  std::string ArchivePath() const { return partial_ + "/" + ArchiveName(); }
  bool HoldsItsLocks(Connection& source) const;
  std::vector<pid_t> OwnBackends(Connection& source) const;
  std::string Program(const char* name) const { return job_.binary_directory + "/" + name; }
  std::string Run(const char* program, std::vector<std::string> arguments);

  const BackupJob& job_;
  RunHost& host_;
  std::string partial_;
};

}  // namespace mfi::os
