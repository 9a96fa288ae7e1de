#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// One object of an archive. Names in a listing are ambiguous; the ids are not.
struct ArchiveEntry {
  std::uint32_t id = 0;      // by which pg_restore --use-list takes it
  std::uint32_t object = 0;  // the object's oid on the source
  std::string kind;          // TABLE, TABLE DATA, FUNCTION ...; empty: one that this version does not know
  std::string name;          // schema (or -), name and owner, with spaces between
};

/// What `pg_restore --list` prints, in the archive's order.
std::vector<ArchiveEntry> ParseListing(std::string_view listing);

/// The tables whose rows are in the archive, by their oids on the source.
std::set<std::uint32_t> TablesWithData(const std::vector<ArchiveEntry>& entries);

}  // namespace mfi::core
