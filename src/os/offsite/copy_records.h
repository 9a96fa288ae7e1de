#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/offsite/offsite_due.h"
#include "os/backup/backup_directory.h"

namespace mfi::os {

/// What the manifests of a backup directory say of the copies in one repository.
class CopyRecords {
 public:
  /// `repository`: the id that it has given itself; empty: not known yet.
  CopyRecords(BackupDirectory directory, std::string repository);

  /// The sets of a cluster's database that a restore has proven, oldest first.
  std::vector<core::ProvenSet> ProvenSets(const std::string& database, const std::string& system_identifier) const;

  /// Sets and the snapshots that hold them; those that retention has let go are left out.
  std::vector<std::pair<std::string, std::string>> Copies() const;

  void Note(const std::string& id, const std::string& snapshot, core::UtcSeconds at) const;
  void Drop(const std::string& id) const;

  /// Of snapshots that retention has let go.
  void NoteForgotten(const std::vector<std::string>& snapshots) const;

  /// A set that was proven is damaged: it is none of the proven ones any more.
  void NoteDamage(const std::string& id, const std::string& damage) const;

 private:
  void Change(const std::string& id, const std::function<void(core::Manifest&)>& change) const;
  void DropFrom(core::Manifest& manifest) const;

  BackupDirectory directory_;
  std::string repository_;
};

}  // namespace mfi::os
