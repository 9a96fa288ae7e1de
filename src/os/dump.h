#pragma once

#include <string>
#include <vector>

#include "core/manifest.h"
#include "os/backup_run.h"

namespace mfi::os {

/// The steps of a dump into `partial` (an existing directory), in the order RunBackup takes them. Each fills what it
/// learns into the manifest, and throws core::Error when the set cannot become a good one.
class Dump {
 public:
  Dump(const BackupJob& job, RunHost& host, std::string partial);

  /// pg_dump, pg_dumpall and pg_restore are there and of the server's major version.
  void CheckPrograms();

  /// Takes a snapshot, records where and when, and dumps the database in it.
  void DumpDatabase(core::Manifest& manifest);

  /// Roles and tablespaces, mode 0600.
  void DumpGlobals();

  /// Lists the archive at `path`; returns how many tables have data in it.
  int CountTables(const std::string& path);

  /// Reads the whole archive at `path`; returns "ok" or what is wrong with it.
  std::string ReadThrough(const std::string& path);

  /// Name of the archive inside a set.
  std::string ArchiveName() const;

 private:
  std::string Conninfo() const;
  std::string Program(const char* name) const { return job_.binary_directory + "/" + name; }
  std::string Run(const char* program, std::vector<std::string> arguments);

  const BackupJob& job_;
  RunHost& host_;
  std::string partial_;
};

}  // namespace mfi::os
