#pragma once

#include "core/replication/replication.h"

namespace mfi::core {

/// What a standby's slot says of the future. `growth`: bytes per second by which it keeps more and more; unset: it does
/// not, or that is not known.
Reasons JudgeSlot(const SlotFacts& slot, const std::optional<double>& growth);

/// `in about 3 h`, when `bytes` are used up at this rate; unset when that is more than a day away or not known.
struct TimeLeft {
  double seconds;
  bool critical;  // within the hour
};
std::optional<TimeLeft> UsedUpWithinADay(std::int64_t bytes, const std::optional<double>& bytes_per_s);

}  // namespace mfi::core
