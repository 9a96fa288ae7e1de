#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "os/base/file.h"
#include "os/base/reading.h"

namespace mfi::os {

/// A published set: its directory exists under its id and holds a valid manifest.
struct StoredSet {
  core::Manifest manifest;
  std::string path;  // of the set's directory
};

/// Layout of a backup directory, which several nodes and foreign files may share:
///   <id>/                 a set: archive, globals.sql, manifest.json
///   <id>.sql.gz           relative link to the set's archive
///   latest                relative link to the newest verified set
///   .partial-<node>-<id>  a set being made by that node
///   .remove-<node>-<id>   a set being deleted by that node
///   .failed-<node>-<id>   a set that failed its verification, kept for a time (os/expire.h)
///   .runs/<id>.json       records of runs; .runs/.lock and .runs/.run-<database> are locks
///   .runs/<id>.log        what programs of that run printed when they failed (os/private_log.h)
/// A set is a directory of that name, never a link to one.
class BackupDirectory {
 public:
  /// `look` is asked before each file of every reading of the whole directory; it throws when the process has to stop.
  /// `budget`: how many bytes one reading takes at most.
  BackupDirectory(std::string root, std::string node, Reading::Look look = {},
                  std::int64_t budget = Reading::kMostBytes);

  /// Throws an Error with a next step unless `root` is an absolute path of an existing directory outside the data
  /// directory, which belongs to this process's user and which nobody else may write to or rename.
  void CheckUsable(const std::string& data_directory) const;

  /// Makes what is missing of the layout.
  void Prepare() const;

  const std::string& root() const { return root_; }
  std::string RunsPath() const { return root_ + "/.runs"; }
  std::string SetPath(const std::string& id) const { return root_ + "/" + id; }
  std::string PartialPath(const std::string& id) const { return root_ + "/.partial-" + node_ + "-" + id; }

  /// Held by the one process that dumps `database` into this directory, whatever its node.
  FileLock LockForRun(const std::string& database) const;

  /// Held while sets are deleted and manifests changed.
  FileLock LockForRemoval() const { return FileLock(RunsPath() + "/.lock"); }

  /// A reading of the directory with its look and its budget.
  Reading StartReading() const { return Reading(look_, budget_); }

  /// All sets, oldest first. Directories without a valid manifest are no sets. When the reading's budget is spent, the
  /// oldest names are left out.
  std::vector<StoredSet> Sets(Reading& reading) const;
  std::vector<StoredSet> Sets() const;

  /// The sets that were set aside, by any node, oldest first; within a budget like Sets.
  std::vector<StoredSet> FailedSets() const;

  /// The manifest of the set with this id; throws Error(42704) when there is none.
  core::Manifest FindSet(const std::string& id) const;

  /// Makes the partial set durable and gives it its name by one rename, then links its archive. Returns "", or why
  /// there is no link: the set is good without it.
  std::string Publish(const core::Manifest& manifest) const;

  /// Reads the manifest of a published set, changes it and writes it again, while nobody else does so or deletes sets.
  /// False when somebody does; throws Error(42704) when there is no such set.
  bool ChangeManifest(const std::string& id, const std::function<void(core::Manifest&)>& change) const;

  /// Rewrites the manifest of a published set.
  void SaveManifest(const core::Manifest& manifest) const;

  /// Removes what a crash left of a SaveManifest.
  void RemoveUnsavedManifest(const std::string& id) const;

  /// Lets `latest` name the newest verified set of this cluster; takes it away when there is none. Returns "", or why
  /// that could not be done.
  std::string PointLatestAtNewestVerified(const std::string& system_identifier) const;

  /// Takes the set's names away, then its files. What is no link under its link's name stays.
  void Remove(const std::string& id) const;

  /// Takes a set's names away because its verification failed; its files stay under a hidden name. Returns that name,
  /// relative to the root.
  std::string SetAside(const std::string& id) const;

  /// Deletes a set that was set aside.
  void RemoveFailed(const StoredSet& set) const;

  /// Deletes what this node left half done. Only while it runs nothing.
  void RemoveLeftovers() const;

 private:
  void Unlink(const std::string& id) const;
  void RemoveHidden(const std::string& prefix) const;
  std::string LinkPath(const std::string& id) const { return root_ + "/" + id + ".sql.gz"; }

  std::string root_;
  std::string node_;
  Reading::Look look_;
  std::int64_t budget_;
};

}  // namespace mfi::os
