#pragma once

#include <optional>
#include <string>

#include "core/recovery/receive_from.h"
#include "core/recovery/store_identity.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_job.h"
#include "os/server/session.h"

namespace mfi::os {

/// What the receiver wants to know of its own server before it begins.
struct ReceiverServer {
  core::StoreIdentity identity;  // without node and time
  core::ServerWal wal;
};

/// How far it is.
struct ReceiverProgress {
  bool active = false;     // somebody receives by the slot
  core::Lsn received = 0;  // flushed by whoever does
  core::Lsn sent_end = 0;  // flushed by the server, or, of one in recovery, received or replayed
};

/// Its own server, by sessions of the bootstrap superuser. All of it waits a few seconds at the longest, and throws
/// Error.
class ReceiverSource {
 public:
  ReceiverSource(const RecoveryJob& job, Waiter& waiter) : job_(job), waiter_(waiter) {}

  /// Makes the slot when it is missing or lost, and asks what the server has. Throws Error(55000) while the slot is in
  /// use.
  ReceiverServer Prepare() const;

  ReceiverProgress Progress() const;

  /// For pg_receivewal.
  Session Replication() const;

 private:
  Session Sql() const;

  const RecoveryJob& job_;
  Waiter& waiter_;
};

}  // namespace mfi::os
