#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/restore/restore_plan.h"
#include "os/process/child.h"
#include "os/server/connection.h"

namespace mfi::os {

/// An archive and the database it is restored into, which is empty and belongs to `restorer`.
struct RestoreJob {
  std::string binary_directory;
  std::string archive;
  std::string work_directory;  // an existing directory that no code of the database can write to
  std::function<Session(SessionKind kind, const std::string& role)> session;  // to the database
  std::string superuser;
  std::string restorer;
  std::string encoding;                 // of the archive's text
  bool in_sandbox = false;              // whole: the restorer may get what an extension gives to nobody by itself
  std::function<void()> become_member;  // makes the restorer one of each role of the archive, once the frame is there
  int jobs = 1;
  int niceness = 0;
  std::function<void()> still_alive;  // called now and then; throws when the server is gone
};

/// Restores an archive in phases, so that no code that the database's roles have written runs as a superuser.
class ArchiveRestore {
 public:
  ArchiveRestore(const RestoreJob& job, Waiter& waiter);

  /// Reads the archive, makes the frame and decides who makes the rest. Throws Error when that cannot be done.
  void Begin();

  const core::RestorePlan& plan() const { return plan_; }

  /// Everything that holds rows or checks them, by the restorer: all belongs to it afterwards.
  void RestoreBody();

  /// Materialized views that the body could not fill, as they read what is outside of the database.
  const std::vector<std::string>& not_refreshed() const { return not_refreshed_; }

  /// Owners, comments, event triggers, publications and privileges, by the superuser.
  void Finish();

 private:
  std::string Run(const Session* session, std::vector<std::string> arguments);
  void RestoreEntries(bool superuser, const core::EntryIds& entries, int jobs);
  void RunStatements(Connection& superuser, const core::EntryIds& entries);
  void GiveShellTypes(Connection& superuser, const core::EntryIds& entries);
  void GiveToRestorer(Connection& superuser, const core::EntryIds& entries);
  std::string ListFile(const core::EntryIds& entries);
  core::RightsOfRoles ReadRights(Connection& superuser);
  void GiveFrameToRestorer(Connection& superuser);
  void GiveRestrictedMembers(Connection& superuser);
  void GiveParameters(Connection& superuser);
  std::vector<std::string> StatementsOf(const core::ArchiveEntry& entry) const;
  static void Execute(Connection& superuser, const std::string& statement, const std::string& what);
  void Refresh(const core::EntryIds& entries);
  std::unique_ptr<Connection> Open(SessionKind kind, const std::string& role);
  std::unique_ptr<Connection> Open();

  const RestoreJob& job_;
  Waiter& waiter_;
  std::vector<core::ArchiveEntry> entries_;
  std::map<std::uint32_t, const core::ArchiveEntry*> by_id_;
  core::Definitions definitions_;
  core::RestorePlan plan_;
  std::vector<std::string> not_refreshed_;
  std::set<std::string> owners_;  // that an object may have, in the archive's encoding
};

/// Why an archive could not be restored: something about the set, not about the server it was restored in.
class NotRestorable : public core::Error {
 public:
  explicit NotRestorable(const std::string& message) : Error(core::sqlstate::kDataCorrupted, message) {}
};

}  // namespace mfi::os
