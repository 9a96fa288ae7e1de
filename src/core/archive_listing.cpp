#include "core/archive_listing.h"

#include <charconv>

namespace mfi::core {
namespace {

constexpr std::string_view kTableData = "TABLE DATA ";
constexpr std::string_view kSequenceSet = "SEQUENCE SET ";

/// Takes a number and the space behind it off the front; false when there is none.
bool TakeNumber(std::string_view& line, std::uint32_t& value) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc()) return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (line.empty() || line.front() != ' ') return false;
  line.remove_prefix(1);
  return true;
}

/// An entry is `4021; 0 16415 TABLE DATA public portals postgres`: dump id, catalog, object id, kind, names.
void ParseLine(std::string_view line, ArchiveListing& listing) {
  const auto semicolon = line.find("; ");
  if (line.empty() || line.front() == ';' || semicolon == std::string_view::npos) return;
  line.remove_prefix(semicolon + 2);
  std::uint32_t catalog = 0;
  std::uint32_t oid = 0;
  if (!TakeNumber(line, catalog) || !TakeNumber(line, oid)) return;
  if (line.rfind(kTableData, 0) == 0) listing.table_data.insert(oid);
  if (line.rfind(kSequenceSet, 0) == 0) listing.sequence_sets.insert(oid);
}

}  // namespace

ArchiveListing ParseListing(std::string_view listing) {
  ArchiveListing parsed;
  while (!listing.empty()) {
    const auto newline = listing.find('\n');
    ParseLine(listing.substr(0, newline), parsed);
    if (newline == std::string_view::npos) break;
    listing.remove_prefix(newline + 1);
  }
  return parsed;
}

}  // namespace mfi::core
