#pragma once

namespace mfi::core {

/// By this slot a node receives its own WAL for recovery: whoever uses it is no standby, and so is the slot's WAL kept
/// for none.
inline constexpr char kRecoverySlot[] = "mfi_recovery";

/// application_name of its sessions.
inline constexpr char kReceiverName[] = "mfi recovery";

}  // namespace mfi::core
