#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/recovery/recovery_due.h"
#include "core/schedule/schedule.h"

namespace mfi::core {

/// When the schedules of recovery want what; an empty text is no schedule. The zone must outlive it.
class RecoveryTimes {
 public:
  RecoveryTimes(std::string_view full, std::string_view incremental, const ZoneRule& zone);

  DueTimes Full(UtcSeconds now) const;
  DueTimes Incremental(UtcSeconds now) const;

  /// A base that began since then is not stale: the last but one time of both; nullopt when there is none.
  std::optional<UtcSeconds> BaseDue(UtcSeconds now) const;

  /// Nor is a drill: the last night but one, two days ago.
  std::optional<UtcSeconds> DrillDue(UtcSeconds now) const;

 private:
  std::optional<Schedule> full_;
  std::optional<Schedule> incremental_;
};

}  // namespace mfi::core
