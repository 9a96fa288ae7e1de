#pragma once

#include "core/replication/replication.h"

namespace mfi::core {

/// What a standby's slot says of the future. `falls_behind`: its standby is gone, or replays slower than is written,
/// so that the slot keeps more and more.
Reasons JudgeSlot(const SlotFacts& slot, bool falls_behind, const ReplicationFacts& facts);

/// `in about 3 h`, when `bytes` are used up at this rate; unset when that is more than a day away or not known.
struct TimeLeft {
  double seconds;
  bool critical;  // within the hour
};
std::optional<TimeLeft> UsedUpWithinADay(std::int64_t bytes, const std::optional<double>& bytes_per_s);

}  // namespace mfi::core
