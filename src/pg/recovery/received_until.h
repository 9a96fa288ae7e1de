#pragma once

#include "core/base/lsn.h"
#include "core/base/time.h"

namespace mfi::pg {

/// Until when all is received: what the server had to send at a moment is in the store when the receiver has come to
/// that position. A standby can only have what its upstream has told it lately.
class ReceivedUntil {
 public:
  /// Called about once a second; returns the moment, 0 when it is not known.
  core::UtcSeconds Look(bool receiving, core::Lsn received, core::Lsn sent_end);

 private:
  core::UtcSeconds pending_at_ = 0;
  core::Lsn pending_ = 0;
  core::UtcSeconds until_ = 0;
};

}  // namespace mfi::pg
