#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"

namespace mfi::os {

class Connection;

/// What a standby may be behind and still be dumped.
struct StandbyLimits {
  std::int64_t lag_bytes = 0;
  int silence_s = 0;
};

/// The keywords of a libpq connection string or URI, each value quoted, so that more keywords can follow and win.
/// Throws Error(22023) when it cannot be read.
std::string ConninfoKeywords(const std::string& conninfo);

/// The same, fit to reach the other node: unless it plainly leads to a local socket (a service never does, because its
/// file may name any host), or names require_auth or channel_binding, it
/// demands both SCRAM and channel binding, so that whoever else answers gets no password and is not believed. Throws
/// Error(22023) when the connection string forbids the TLS that this needs.
std::string PeerKeywords(const std::string& conninfo);

/// Bytes of WAL between what `primary` has written by now and `lsn`; never negative.
std::int64_t BytesBehind(Connection& primary, const std::string& lsn);

/// Throws Error(55000) with the reason unless `standby` is a standby of `primary`'s cluster, within the limits.
/// Returns what is to be said of it nevertheless; usually nothing.
std::string CheckStandby(Connection& primary, Connection& standby, const StandbyLimits& limits);

/// serialization_failure: what a session on a standby gets when its snapshot or locks are in the way of what is
/// replayed.
inline constexpr char kRecoveryConflict[] = "40001";

/// By SQLSTATE: a role that is no superuser cannot ask for English words.
bool IsRecoveryConflict(const core::Error& error);

}  // namespace mfi::os
