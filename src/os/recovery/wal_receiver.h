#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/own_receiver.h"
#include "core/recovery/wal_file.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_job.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

using core::kReceiverName;
using core::kRecoverySlot;

/// pg_receivewal of this node's own server into its store, kept running. The caller calls Look now and then; nothing
/// here waits longer than it takes to ask the server.
class WalReceiver {
 public:
  /// How it stands; `error` says why it does not receive.
  struct State {
    bool receiving = false;
    core::Lsn received = 0;  // flushed into the store, as its server knows
    core::Lsn sent_end = 0;  // what the server has to send
    std::string error;
    std::string gap;  // WAL that is missing before what is received now: `segment X to Y`; empty: none since the start
  };

  WalReceiver(RecoveryJob job, Waiter& waiter);
  ~WalReceiver();
  WalReceiver(const WalReceiver&) = delete;
  WalReceiver& operator=(const WalReceiver&) = delete;

  /// Starts it, or starts it again after a back-off (1 s, doubled to 60 s), when it does not run.
  const State& Look();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mfi::os
