#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/recovery/base_record.h"
#include "core/recovery/history.h"
#include "core/recovery/store_identity.h"
#include "core/recovery/wal_file.h"
#include "os/base/file.h"

namespace mfi::os {

/// What one node keeps for recovery, in `<mfi.recovery_directory>/<node>/`:
///   store.json                whose it is
///   wal/                      received segments and histories of timelines
///   receiving/                pg_receivewal's: the segment that is being received, and finished ones until they go to
///   wal/ aside/                    <segment>.partial[.<n>]: partial segments as they were before the receiver began
///   again;
///                             <file>.left[.<n>]: what left the history, no WAL of this server any more
///   base/<id>/                a base backup: base.json, backup_manifest, base.tar.zst, <tablespace>.tar.zst
///   base/.new-<id>            one that is being made
///   base/.remove-<id>         one that is being deleted
///   drills/<id>.json          what drills found
///   .receiver, .run           locks: of who receives, of who makes a base or a drill
/// A store of another cluster that had the name before is kept as `<node>.<system identifier>`.
class RecoveryStore {
 public:
  RecoveryStore(const std::string& directory, const std::string& node);

  /// Throws Error with a next step unless the directory is one that this process's user alone can write to or rename,
  /// outside the data directory.
  void CheckUsable(const std::string& data_directory) const;

  /// Makes what is missing of the layout; puts aside a store of another cluster.
  void Prepare(const core::StoreIdentity& own) const;

  /// nullopt: there is no store.
  std::optional<core::StoreIdentity> Identity() const;

  const std::string& path() const { return path_; }
  std::string WalPath() const { return path_ + "/wal"; }
  std::string ReceivingPath() const { return path_ + "/receiving"; }
  std::string AsidePath() const { return path_ + "/aside"; }
  std::string BasesPath() const { return path_ + "/base"; }
  std::string BasePath(const std::string& id) const { return BasesPath() + "/" + id; }
  std::string NewBasePath(const std::string& id) const { return BasesPath() + "/.new-" + id; }
  std::string DrillsPath() const { return path_ + "/drills"; }

  FileLock LockForReceiver() const { return FileLock(path_ + "/.receiver"); }
  FileLock LockForRun() const { return FileLock(path_ + "/.run"); }

  /// The WAL in wal/ and receiving/, and the partial segments in aside/, by segment and each name once; files of other
  /// names, and what left the history, are passed over.
  std::vector<core::WalFile> Wal(std::int64_t segment_bytes) const;

  /// The history of this timeline, as it was received. Throws Error(kUndefinedFile) when there is none; that of
  /// timeline 1 is always known.
  core::History HistoryOf(std::uint32_t timeline, std::int64_t segment_bytes) const;

  /// The published bases, oldest first by their WAL, since clocks are set back; a directory without a valid base.json
  /// is none, nor is one of another cluster.
  std::vector<core::BaseRecord> Bases() const;

  /// Rewrites the record of a published base.
  void SaveBase(const core::BaseRecord& record) const;

  /// Makes the new base durable, with its record, and gives it its name by one rename.
  void PublishBase(const core::BaseRecord& record) const;

  void RemoveBase(const std::string& id) const;

  /// Deletes what a crash left half made or half deleted. Only under the lock for runs.
  void RemoveLeftovers() const;

 private:
  void PutAside(const core::StoreIdentity& found) const;

  std::string directory_;
  std::string node_;
  std::string path_;
};

}  // namespace mfi::os
