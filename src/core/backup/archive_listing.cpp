#include "core/backup/archive_listing.h"

#include <charconv>

namespace mfi::core {
namespace {

constexpr char kTableData[] = "TABLE DATA";

// As pg_dump writes them; of two that begin alike, the longer one comes first.
constexpr std::string_view kKinds[] = {"ACCESS METHOD",
                                       "ACL",
                                       "AGGREGATE",
                                       "BLOB COMMENTS",
                                       "BLOB METADATA",
                                       "BLOBS",
                                       "BLOB",
                                       "CAST",
                                       "CHECK CONSTRAINT",
                                       "COLLATION",
                                       "COMMENT",
                                       "CONSTRAINT",
                                       "CONVERSION",
                                       "DATABASE PROPERTIES",
                                       "DATABASE",
                                       "DEFAULT ACL",
                                       "DEFAULT",
                                       "DOMAIN",
                                       "EVENT TRIGGER",
                                       "EXTENSION",
                                       "FK CONSTRAINT",
                                       "FOREIGN DATA WRAPPER",
                                       "FOREIGN TABLE",
                                       "FUNCTION",
                                       "INDEX ATTACH",
                                       "INDEX",
                                       "MATERIALIZED VIEW DATA",
                                       "MATERIALIZED VIEW",
                                       "OPERATOR CLASS",
                                       "OPERATOR FAMILY",
                                       "OPERATOR",
                                       "POLICY",
                                       "PROCEDURAL LANGUAGE",
                                       "PROCEDURE",
                                       "PUBLICATION TABLES IN SCHEMA",
                                       "PUBLICATION TABLE",
                                       "PUBLICATION",
                                       "ROW SECURITY",
                                       "RULE",
                                       "SCHEMA",
                                       "SECURITY LABEL",
                                       "SEQUENCE OWNED BY",
                                       "SEQUENCE SET",
                                       "SEQUENCE",
                                       "SERVER",
                                       "SHELL TYPE",
                                       "STATISTICS",
                                       "SUBSCRIPTION TABLE",
                                       "SUBSCRIPTION",
                                       "TABLE ATTACH",
                                       kTableData,
                                       "TABLE",
                                       "TEXT SEARCH CONFIGURATION",
                                       "TEXT SEARCH DICTIONARY",
                                       "TEXT SEARCH PARSER",
                                       "TEXT SEARCH TEMPLATE",
                                       "TRANSFORM",
                                       "TRIGGER",
                                       "TYPE",
                                       "USER MAPPING",
                                       "VIEW"};

/// Takes a number and the text behind it off the front; false when they are not there.
bool Take(std::string_view& line, std::uint32_t& value, std::string_view behind) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc()) return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (line.rfind(behind, 0) != 0) return false;
  line.remove_prefix(behind.size());
  return true;
}

/// `4021; 0 16415 TABLE DATA public portals postgres`: id, catalog, oid, kind, names. False for what is no entry.
bool ParseLine(std::string_view line, ArchiveEntry& entry) {
  std::uint32_t catalog = 0;
  if (!Take(line, entry.id, "; ") || !Take(line, catalog, " ") || !Take(line, entry.object, " ")) return false;
  for (const std::string_view kind : kKinds) {
    if (line.rfind(kind, 0) != 0 || line.substr(kind.size(), 1) != " ") continue;
    entry.kind = kind;
    line.remove_prefix(kind.size() + 1);
    break;
  }
  entry.name = line;
  return true;
}

}  // namespace

std::vector<ArchiveEntry> ParseListing(std::string_view listing) {
  std::vector<ArchiveEntry> entries;
  while (!listing.empty()) {
    const auto newline = listing.find('\n');
    ArchiveEntry entry;
    if (ParseLine(listing.substr(0, newline), entry)) entries.push_back(std::move(entry));
    if (newline == std::string_view::npos) break;
    listing.remove_prefix(newline + 1);
  }
  return entries;
}

std::set<std::uint32_t> TablesWithData(const std::vector<ArchiveEntry>& entries) {
  std::set<std::uint32_t> tables;
  for (const ArchiveEntry& entry : entries) {
    if (entry.kind == kTableData) tables.insert(entry.object);
  }
  return tables;
}

}  // namespace mfi::core
