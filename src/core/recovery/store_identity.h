#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace mfi::core {

inline constexpr char kStoreIdentityName[] = "store.json";

/// store.json: whose WAL and bases a store holds.
struct StoreIdentity {
  std::string node;
  std::string system_identifier;
  int server_major = 0;
  std::int64_t segment_bytes = 0;  // of WAL
  UtcSeconds created_at = 0;

  friend bool operator==(const StoreIdentity&, const StoreIdentity&) = default;
};

std::string ToJson(const StoreIdentity& identity);

/// Throws Error(kDataCorrupted) when the text is none of a format this version knows.
StoreIdentity ParseStoreIdentity(std::string_view json);

}  // namespace mfi::core
