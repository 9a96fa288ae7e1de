#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/recovery/base_record.h"

namespace mfi::core {

/// What a store need not keep any more.
struct RecoveryRetention {
  std::vector<std::string> removable;  // bases, in an order in which none goes before what builds on it
  std::optional<Lsn> wal_from;         // older WAL is needed by none that stays; nullopt: no base is there

  friend bool operator==(const RecoveryRetention&, const RecoveryRetention&) = default;
};

/// Keeps all that recovery to any second of the last `window_seconds` needs: the newest full base that was finished
/// before them and whose chain's last drill was "ok", and everything since. Without such a one nothing goes, so a chain
/// goes only after a newer one was proven, and never the only one. Older, here, is what both ended before it and has
/// WAL before it: a clock that was set back takes nothing away. Incremental ones go with their full one; one whose
/// chain is not whole stays until it is older.
RecoveryRetention PlanRecoveryRetention(const std::vector<BaseRecord>& bases, std::int64_t window_seconds,
                                        UtcSeconds now);

}  // namespace mfi::core
