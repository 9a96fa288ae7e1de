#pragma once

#include <optional>
#include <vector>

#include "core/base/time.h"
#include "core/recovery/base_plan.h"
#include "core/recovery/drill_record.h"

namespace mfi::core {

/// The last time of a schedule at or before now, and the next one; nullopt: none.
struct DueTimes {
  std::optional<UtcSeconds> last;
  std::optional<UtcSeconds> next;
};

/// Attempts at one kind of work since it last succeeded.
struct FailedAttempts {
  int count = 0;
  UtcSeconds last = 0;
};

struct DueInput {
  UtcSeconds now = 0;
  DueTimes full;
  DueTimes incremental;
  BaseSituation situation;
  std::vector<DrillRecord> drills;
  FailedAttempts base_failures;
  FailedAttempts drill_failures;
};

enum class RecoveryWork { kNone, kIncremental, kFull, kDrill };

struct RecoveryDue {
  RecoveryWork work = RecoveryWork::kNone;  // to begin now
  UtcSeconds look_again = 0;                // when it may be otherwise, if nothing happens before
};

/// What is to be done now: a base that a schedule or the state of the store asks for, then a drill of it. A time that
/// was missed is made up for once. What failed is tried again after 5, 15 and 45 minutes, and then every hour.
RecoveryDue NextRecoveryWork(const DueInput& input);

}  // namespace mfi::core
