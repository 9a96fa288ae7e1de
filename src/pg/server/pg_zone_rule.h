#pragma once

#include "core/schedule/zone_rule.h"
#include "pg/server/pg.h"

extern "C" {
#include "pgtime.h"
}

namespace mfi::pg {

/// Answers from PostgreSQL's own zone data, which the server never frees.
class PgZoneRule : public core::ZoneRule {
 public:
  explicit PgZoneRule(const pg_tz* zone) : zone_(zone) {}

  int OffsetAt(core::UtcSeconds at) const override {
    const pg_time_t time = at;
    const struct pg_tm* local = pg_localtime(&time, zone_);
    return local == nullptr ? 0 : static_cast<int>(local->tm_gmtoff);
  }

  std::optional<core::UtcSeconds> NextTransition(core::UtcSeconds at) const override {
    const pg_time_t time = at;
    long before_offset = 0;
    long after_offset = 0;
    int before_dst = 0;
    int after_dst = 0;
    pg_time_t boundary = 0;
    const int found =
        pg_next_dst_boundary(&time, &before_offset, &before_dst, &boundary, &after_offset, &after_dst, zone_);
    if (found != 1) return std::nullopt;
    return boundary;
  }

 private:
  const pg_tz* zone_;
};

}  // namespace mfi::pg
