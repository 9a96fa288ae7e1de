#include "os/recovery/base_situation.h"

#include <algorithm>

#include "core/recovery/backup_manifest.h"
#include "core/recovery/wal_line.h"
#include "os/recovery/wal_end.h"

namespace mfi::os {
namespace {

bool HasItsFiles(const RecoveryStore& store, const core::BaseRecord& base) {
  const std::string path = store.BasePath(base.id) + "/";
  return Exists(path + core::kBackupManifestName) && Exists(path + "base.tar.zst") &&
         std::all_of(base.tablespaces.begin(), base.tablespaces.end(), [&](const core::BaseTablespace& tablespace) {
           return Exists(path + std::to_string(tablespace.oid) + ".tar.zst");
         });
}

/// A partial segment's content is not known here: what it may hold counts.
void LookAtWal(const RecoveryStore& store, const core::BaseRecord& newest, core::BaseSituation& situation) {
  const std::vector<core::WalFile> files = store.Wal(newest.segment_bytes);
  situation.gap = true;
  situation.wal_from = newest.end;
  if (files.empty()) return;
  const core::WalLine line = core::LineOf(files, NewestHistory(store, newest.segment_bytes), newest.segment_bytes);
  if (line.stretches.empty()) return;
  situation.wal_from = line.stretches.back().from;
  situation.wal_to = line.stretches.back().to;
  situation.gap = newest.start < situation.wal_from;
}

}  // namespace

core::BaseSituation SituationIn(const RecoveryStore& store) {
  core::BaseSituation situation;
  situation.bases = store.Bases();
  const core::BaseRecord* newest = core::NewestBase(situation.bases);
  if (newest == nullptr) return situation;
  const std::vector<core::BaseRecord> chain = core::ChainOf(situation.bases, newest->id);
  situation.chain_usable =
      std::all_of(chain.begin(), chain.end(), [&](const core::BaseRecord& base) { return HasItsFiles(store, base); });
  LookAtWal(store, *newest, situation);
  return situation;
}

}  // namespace mfi::os
