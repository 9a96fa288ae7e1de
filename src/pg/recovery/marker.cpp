#include "pg/recovery/marker.h"

#include "pg/replication/replication_raw.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/compat.h"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
}

namespace mfi::pg {
namespace {

constexpr std::int64_t kEveryUs = 60'000'000;
constexpr char kPrefix[] = "mfi";

/// Plain frame.
void Mark() {
  StartTransactionCommand();
  compat::WriteMessage(kPrefix, "mark", 4);
  CommitTransactionCommand();
}

}  // namespace

long Marker::Round() {
  const std::int64_t now = MonotonicMicros();
  if (now >= next_us_) {
    next_us_ = now + kEveryUs;
    if (!CallPg([] { return RecoveryInProgress(); }) && SomebodyReceives()) CallPg(Mark);
  }
  return static_cast<long>((next_us_ - now) / 1000) + 1;
}

}  // namespace mfi::pg
