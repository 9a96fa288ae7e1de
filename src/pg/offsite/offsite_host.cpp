#include "pg/offsite/offsite_host.h"

#include "core/base/error.h"
#include "pg/server/bridge.h"
#include "pg/server/workers.h"

extern "C" {
#include "postmaster/interrupt.h"
}

namespace mfi::pg {

void OffsiteHost::Wait(int fd, bool for_write, std::chrono::milliseconds limit) {
  if (ShutdownRequestPending) {
    throw core::Stop(core::Stop::Reason::kOther, "57P01",
                     "interrupted: the server is shutting down, or its process was terminated");
  }
  CallPg([&] { WaitOnLatch(static_cast<long>(limit.count()), fd, for_write); });
}

}  // namespace mfi::pg
