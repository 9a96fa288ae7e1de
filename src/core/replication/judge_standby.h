#pragma once

#include <optional>
#include <string>

#include "core/replication/replication.h"

namespace mfi::core {

/// The slot that this walsender uses; null when it uses none.
const SlotFacts* SlotOf(const WalSenderFacts& sender, const ReplicationFacts& facts);

/// The row of a connected standby, judged.
PeerStatus JudgeStandby(const WalSenderFacts& sender, const ReplicationFacts& facts, const ReplicationLimits& limits);

/// The row of a standby that was seen, has a slot or is expected, and is not connected. `slot_name` may be empty;
/// `since`: when it was last there, if that is known.
PeerStatus JudgeMissing(const std::string& name, const std::string& slot_name, const std::optional<UtcSeconds>& since,
                        const ReplicationFacts& facts, const ReplicationLimits& limits);

}  // namespace mfi::core
