#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace mfi::core {

inline constexpr int kOffsiteDrillFormat = 1;
inline constexpr std::int64_t kMaxOffsiteDrillBytes = std::int64_t{256} * 1024;

/// What a drill from a copy has found: the newest set and the newest recovery store, fetched from the repository.
struct OffsiteDrillRecord {
  std::string id;  // `20261201T040000Z`
  std::string node;
  std::string repository;
  UtcSeconds started_at = 0;
  std::optional<UtcSeconds> finished_at;
  std::string set;                        // that was restored
  std::string snapshot;                   // of it
  std::string store;                      // node whose recovery store was recovered from; empty: there is none
  std::string compared_with;              // what the recovered database was compared with; empty: nothing in reach
  std::optional<UtcSeconds> newest_time;  // of the newest commit that the store's copy had
  std::int64_t fetched_bytes = 0;
  std::string result;  // "ok", or what differs; empty: it did not come to an end
  std::string error;   // why it did not

  friend bool operator==(const OffsiteDrillRecord&, const OffsiteDrillRecord&) = default;
};

std::string ToJson(const OffsiteDrillRecord& record);

/// Throws Error(XX001) when the text is no such record of a format this version knows.
OffsiteDrillRecord ParseOffsiteDrillRecord(std::string_view json);

}  // namespace mfi::core
