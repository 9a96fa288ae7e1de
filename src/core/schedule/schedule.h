#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/base/time.h"
#include "core/schedule/cron.h"
#include "core/schedule/zone_rule.h"

namespace mfi::core {

/// One moment at which a schedule runs.
struct Slot {
  UtcSeconds run_at = 0;
  /// The nominal local time, by which a slot is remembered: `2026-03-29T02:30`; with the offset appended for
  /// schedules that follow elapsed time (`2026-10-25T02:30+02:00`), whose two passes of an overlap are two slots.
  std::string key;

  friend bool operator==(const Slot&, const Slot&) = default;
};

/// A cron text in a time zone.
///
/// With fixed hours and minutes, each local slot runs exactly once: in the spring gap at the first instant after
/// the gap, in the autumn overlap at its first occurrence; slots that fall on the same instant are one run under
/// the key of the earliest. A local date that the zone skips altogether (Pacific/Apia, 2011-12-30) has no slot.
///
/// With `*` hours or minutes, elapsed time counts: the whole UTC minutes whose local wall clock matches, so both
/// passes of an overlap and nothing for a gap.
class Schedule {
 public:
  /// How far a slot is searched for: beyond the longest pause of any text (29 February on one weekday, 40 years).
  static constexpr std::int64_t kHorizon = 41 * 366 * kDay;

  /// `zone` must outlive the schedule.
  Schedule(Cron cron, const ZoneRule& zone) : cron_(std::move(cron)), zone_(&zone) {}

  /// The first slot with run_at > t; nullopt beyond the horizon and outside the years 1600 to 9000.
  std::optional<Slot> NextAfter(UtcSeconds t) const;

  /// The last slot with run_at <= t; nullopt likewise.
  std::optional<Slot> LastAtOrBefore(UtcSeconds t) const;

 private:
  std::optional<Slot> NextFixed(UtcSeconds t) const;
  std::optional<Slot> LastFixed(UtcSeconds t) const;
  std::optional<Slot> NextElapsed(UtcSeconds t) const;
  std::optional<Slot> LastElapsed(UtcSeconds t) const;

  Cron cron_;
  const ZoneRule* zone_;
};

}  // namespace mfi::core
