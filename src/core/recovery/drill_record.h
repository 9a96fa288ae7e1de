#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/lsn.h"
#include "core/base/time.h"

namespace mfi::core {

inline constexpr int kDrillFormat = 1;
inline constexpr std::int64_t kMaxDrillRecordBytes = std::int64_t{256} * 1024;

/// What a drill has found: a recovery from the store, compared with what was there.
struct DrillRecord {
  std::string id;  // `20261126T030000Z`
  std::string node;
  std::string system_identifier;
  UtcSeconds started_at = 0;
  std::optional<UtcSeconds> finished_at;
  std::string base;       // the last of the chain it recovered from
  std::string reference;  // what it was compared with, in words
  Lsn reference_lsn = 0;
  std::string backup;                     // the proven backup among that; empty: there was none in reach
  int tables = 0;                         // compared
  std::string result;                     // "ok", or what differs; empty: it did not come to an end
  std::string error;                      // why it did not
  std::optional<std::int64_t> rpo_ms;     // age of the newest commit that the store had
  std::optional<std::int64_t> rto_ms;     // from nothing to a server that takes writes, at the newest commit
  std::optional<UtcSeconds> newest_time;  // of that commit
  Lsn newest_lsn = 0;

  friend bool operator==(const DrillRecord&, const DrillRecord&) = default;
};

std::string ToJson(const DrillRecord& record);

/// Throws Error(kDataCorrupted) when the text is no such record of a format this version knows.
DrillRecord ParseDrillRecord(std::string_view json);

}  // namespace mfi::core
