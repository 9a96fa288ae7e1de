#include "pg/recovery/received_until.h"

#include <algorithm>

#include "pg/replication/replication_facts.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"

namespace mfi::pg {
namespace {

/// As of when this server knows everything; 0: a standby that hears nothing of its upstream.
core::UtcSeconds KnownAt() {
  const core::ReplicationFacts facts = GatherReplicationFacts();
  if (!facts.in_recovery) return UtcNow();
  if (!facts.receiver.running) return 0;
  return UtcNow() - static_cast<core::UtcSeconds>(facts.receiver.silent_for_s.value_or(0));
}

}  // namespace

core::UtcSeconds ReceivedUntil::Look(bool receiving, core::Lsn received, core::Lsn sent_end) {
  if (!receiving) return until_;
  if (pending_at_ != 0 && received >= pending_) {
    // The clock may have been set back.
    until_ = until_ > UtcNow() ? pending_at_ : std::max(until_, pending_at_);
    pending_at_ = 0;
  }
  if (pending_at_ == 0) {
    pending_at_ = KnownAt();
    pending_ = sent_end;
  }
  return until_;
}

}  // namespace mfi::pg
