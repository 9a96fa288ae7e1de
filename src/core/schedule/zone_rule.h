#pragma once

#include <optional>

#include "core/base/time.h"

namespace mfi::core {

/// The rule of one time zone. The server answers it from PostgreSQL's own zone data; unit tests from zoneinfo.
class ZoneRule {
 public:
  virtual ~ZoneRule() = default;

  /// Seconds to add to UTC to get local time at the instant `at` (east positive).
  virtual int OffsetAt(UtcSeconds at) const = 0;

  /// The first instant strictly after `at` from which another offset may apply; nullopt when there is none.
  virtual std::optional<UtcSeconds> NextTransition(UtcSeconds at) const = 0;
};

}  // namespace mfi::core
