#include "pg/recovery/slot_left.h"

#include "core/base/own_receiver.h"
#include "pg/server/bridge.h"

extern "C" {
#include "access/xact.h"
#include "replication/slot.h"
#include "storage/spin.h"
}

namespace mfi::pg {
namespace {

bool IsLeft() {
  ReplicationSlot* slot = SearchNamedReplicationSlot(core::kRecoverySlot, true);
  if (slot == nullptr) return false;
  SpinLockAcquire(&slot->mutex);
  const bool left = slot->in_use && slot->active_pid == 0 && SlotIsPhysical(slot);
  SpinLockRelease(&slot->mutex);
  return left;
}

void Drop() {
  StartTransactionCommand();
  ReplicationSlotDrop(core::kRecoverySlot, true);
  CommitTransactionCommand();
  ereport(LOG, (errmsg("mfi dropped the replication slot \"%s\", since recovery is off", core::kRecoverySlot)));
}

/// A transaction's end releases everything but the slot.
void GiveUp(const char* why) {
  AbortCurrentTransaction();
  if (MyReplicationSlot != nullptr) ReplicationSlotRelease();
  ereport(LOG, (errmsg("mfi could not drop the replication slot \"%s\": %s", core::kRecoverySlot, why)));
}

}  // namespace

void DropSlotLeft() {
  if (!CallPg(IsLeft)) return;
  try {
    CallPg(Drop);
  } catch (const PgError& error) {
    const char* why = error.what();
    CallPg([&] { GiveUp(why); });
  }
}

}  // namespace mfi::pg
