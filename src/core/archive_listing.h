#pragma once

#include <cstdint>
#include <set>
#include <string_view>

namespace mfi::core {

/// What `pg_restore --list` says an archive holds, by the source's object ids (names in a listing are ambiguous).
struct ArchiveListing {
  std::set<std::uint32_t> table_data;
  std::set<std::uint32_t> sequence_sets;
};

ArchiveListing ParseListing(std::string_view listing);

}  // namespace mfi::core
