#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"

namespace mfi::core {

/// Rows of one table in the dump's snapshot.
struct TableRows {
  std::uint32_t oid = 0;             // on the source: the key into the archive's listing
  std::string name;                  // schema-qualified and quoted as SQL needs it
  std::optional<std::int64_t> rows;  // nullopt: not read
  std::string hash;                  // of the rows' contents, whatever their order: 32 hex digits; empty: not read
  std::string root;      // of a hash-partitioned tree, whose rows a restore may spread otherwise; else empty
  bool in_part = false;  // of an extension, which has only some of its rows dumped: not compared

  friend bool operator==(const TableRows&, const TableRows&) = default;
};

/// A sequence is not part of a snapshot: nextval goes on while the dump runs. What was read before and after the dump
/// bounds what the dump can hold.
struct SequenceRange {
  std::string name;
  std::int64_t low = 0;
  std::int64_t high = 0;

  friend bool operator==(const SequenceRange&, const SequenceRange&) = default;
};

/// What a database holds, in figures that a restored copy must show again.
struct Contents {
  std::vector<TableRows> tables;
  std::vector<SequenceRange> sequences;
  std::int64_t large_objects = 0;
  std::string large_objects_hash;                // as a table's
  std::vector<std::string> invalid_constraints;  // NOT VALID on the source, so they may be in the copy
  std::int64_t database_bytes = 0;               // pg_database_size: forecast of room for a restore

  friend bool operator==(const Contents&, const Contents&) = default;
};

/// The most differences that are named; the rest is counted.
inline constexpr std::size_t kNamedDifferences = 10;

/// What `found` (of a restored copy) lacks or has otherwise than `expected`: "ok", or sentences separated by "; ". A
/// table that was not read is a difference.
std::string CompareContents(const Contents& expected, const Contents& found);

}  // namespace mfi::core
