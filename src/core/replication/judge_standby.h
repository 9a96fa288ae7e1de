#pragma once

#include <string>

#include "core/replication/replication.h"

namespace mfi::core {

/// The slot that this walsender uses; null when it uses none.
const SlotFacts* SlotOf(const WalSenderFacts& sender, const ReplicationFacts& facts);

/// Whether it sends to the receiver of this node's own WAL.
bool IsOwnReceiver(const WalSenderFacts& sender, const ReplicationFacts& facts);

/// The row of a connected standby, judged.
PeerStatus JudgeStandby(const WalSenderFacts& sender, const ReplicationFacts& facts, const ReplicationLimits& limits);

/// The row of a standby that was seen, has a slot or is expected, and is not connected. What is not known of it is
/// empty: its slot, its address, and since when it is missing.
PeerStatus JudgeMissing(const WatchedPeer& peer, const ReplicationFacts& facts, const ReplicationLimits& limits);

/// How a peer is called: by its own name, or its slot's; with its address where several without a slot have one name.
std::string DisplayName(const std::string& name, const std::string& slot_name, const std::string& address,
                        const ReplicationFacts& facts);

/// How many standbys without a slot are known by this name, connected or missing.
int Namesakes(const std::string& name, const ReplicationFacts& facts);

}  // namespace mfi::core
