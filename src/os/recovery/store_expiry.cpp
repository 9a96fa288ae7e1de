#include "os/recovery/store_expiry.h"

#include "core/base/error.h"
#include "core/recovery/recovery_retention.h"

namespace mfi::os {
namespace {

/// Histories stay: they are small, and tell what came of each timeline.
void RemoveWalBefore(const RecoveryStore& store, const std::string& directory, std::uint64_t number,
                     std::int64_t segment_bytes) {
  if (!IsDirectory(directory)) return;
  for (const std::string& name : ListDirectory(directory)) {
    // In aside/ a partial segment's name has a number behind it.
    const auto file = core::ParseWalFile(name.substr(0, name.find(".partial")), segment_bytes);
    if (file && file->kind != core::WalFileKind::kHistory && file->segment.number < number) {
      RemoveTree(directory + "/" + name);
    }
  }
}

}  // namespace

void ExpireStore(const RecoveryStore& store, std::int64_t window_seconds, core::UtcSeconds now) {
  const FileLock lock = store.LockForRun();
  const std::optional<core::StoreIdentity> identity = store.Identity();
  if (!lock.held() || !identity) return;
  const core::RecoveryRetention plan = core::PlanRecoveryRetention(store.Bases(), window_seconds, now);
  for (const std::string& id : plan.removable) store.RemoveBase(id);
  if (!plan.wal_from) return;
  const std::uint64_t number = *plan.wal_from / static_cast<core::Lsn>(identity->segment_bytes);
  RemoveWalBefore(store, store.WalPath(), number, identity->segment_bytes);
  RemoveWalBefore(store, store.AsidePath(), number, identity->segment_bytes);
}

}  // namespace mfi::os
