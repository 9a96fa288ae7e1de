#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "os/backup/job.h"
#include "os/backup/run_host.h"
#include "os/server/connection.h"
#include "os/server/contents_reader.h"

namespace mfi::os {

/// The steps of a dump into `partial` (an existing directory), in the order RunBackup takes them. Each fills what it
/// learns into the manifest, and throws core::Error when the set cannot become a good one.
class Dump {
 public:
  Dump(const BackupJob& job, RunHost& host, std::string partial);

  /// pg_dump, pg_dumpall and pg_restore are there and of the server's major version.
  void CheckPrograms();

  /// Locks all tables, takes a snapshot, records where and when, dumps the database in it and reads its rows beside the
  /// dump. Begins anew when tables are changed meanwhile, or when somebody waits for a table and the dump behind him.
  void DumpDatabase(core::Manifest& manifest);

  /// The same on the standby that the job names; throws Error(55000) when it is not fit for it. Returns what is to be
  /// said of that standby; usually nothing.
  std::string DumpStandby(core::Manifest& manifest);
  /// What the last of them has to say besides; empty: nothing.
  const std::string& remark() const { return remark_; }

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
  /// Where a dump comes from: the session of its programs, and two connections of the same kind.
  struct Source {
    Session session;
    std::unique_ptr<Connection> lister;  // for what is asked before or beside the dump's transaction
    std::unique_ptr<Connection> holder;  // holds locks and snapshot, and reads what the tables hold
    bool local = false;
    std::vector<std::string> settings = {};  // of its sessions
  };
  /// What is looked at before each attempt, and recorded when its snapshot is there.
  using Step = std::function<void(Connection& holder)>;

  Session Open(SessionKind kind, const std::string& where) const;
  Session OnPrimary(SessionKind kind = SessionKind::kSuperuserOnOthersData) const;
  Session OnStandby(SessionKind kind, const std::string& server = {}) const;
  std::unique_ptr<Connection> Connect(const Session& session);
  Source ConnectToPrimary();
  Source ConnectToStandby();
  Source ConnectToStandbyAs(SessionKind kind, SessionKind settings);
  void DumpConsistently(Source& source, const Step& before, const Step& within, core::Manifest& manifest);
  void MarkSnapshot(Connection& holder, core::RunRecord& run) const;
  void DumpSnapshot(const Source& source, const std::string& snapshot, ContentsReader& reader,
                    core::Manifest& manifest);
  std::string ArchivePath() const { return partial_ + "/" + ArchiveName(); }
  bool MetRecoveryConflict(const Session& session, const std::string& before);
  bool HoldsItsLocks(Connection& source) const;
  std::vector<pid_t> OwnBackends(Connection& source) const;
  std::string Program(const char* name) const { return job_.binary_directory + "/" + name; }
  std::string Run(const char* program, std::vector<std::string> arguments);

  const BackupJob& job_;
  RunHost& host_;
  std::string partial_;
  std::string encoding_;  // of the database that was dumped
  std::string remark_;
};

}  // namespace mfi::os
