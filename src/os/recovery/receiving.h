#pragma once

#include <string>

#include "core/recovery/receive_from.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_store.h"

// receiving/: the directory of pg_receivewal. It holds next to nothing when pg_receivewal starts, which reads every
// file of its directory first, and ends when one of them is damaged; and the empty partial segment in it says where to
// begin.
namespace mfi::os {

/// Puts away what lies there by a plan, and makes that file. Only under the receiver's lock, while nobody receives. A
/// plan that is ahead changes nothing.
core::ReceivePlan PrepareReceiving(const RecoveryStore& store, const core::ServerWal& server, Waiter& waiter);

/// Moves finished segments and histories into wal/. Returns "", or which of them cannot be read: they are put aside.
std::string TakeFinished(const RecoveryStore& store, const core::ServerWal& server, Waiter& waiter);

}  // namespace mfi::os
