#include "pg/server/clock.h"

#include <ctime>

#include "pg/server/pg.h"

namespace mfi::pg {

std::int64_t MonotonicMicros() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000000 + now.tv_nsec / 1000;
}

core::UtcSeconds UtcNow() { return ToUtcSeconds(GetCurrentTimestamp()); }

core::UtcSeconds ServerStart() { return ToUtcSeconds(PgStartTime); }

core::UtcSeconds ToUtcSeconds(std::int64_t timestamptz) {
  constexpr std::int64_t kEpochs = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
  const std::int64_t seconds =
      timestamptz >= 0 ? timestamptz / USECS_PER_SEC : -((-timestamptz + USECS_PER_SEC - 1) / USECS_PER_SEC);
  return seconds + kEpochs;
}

std::int64_t ToTimestampTz(core::UtcSeconds at) {
  return (at - static_cast<std::int64_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY) * USECS_PER_SEC;
}

}  // namespace mfi::pg
