#pragma once

#include <string>
#include <vector>

#include "core/backup/contents.h"
#include "os/server/connection.h"

namespace mfi::command {

/// What of a manifest's contents a restored database is compared with. A set of an earlier version has no hashes, and
/// may have tables without a count and sequences of extensions: of those, what it has is compared.
struct ExpectedContents {
  core::Contents contents;
  std::vector<std::string> uncounted;  // tables that cannot be compared
  bool counts_only = false;
};
ExpectedContents Expected(const core::Contents& manifest, const core::Contents& found);

/// What the two columns of numbers are called, and a table that is not equal in both.
struct RowsTitles {
  std::string expected = "backup";
  std::string found = "restored";
  std::string other = "DIFFERENT";
};

/// A line per table, expected and restored, as a person reads it; a hash-partitioned tree is one.
std::string RowsTable(const core::Contents& expected, const core::Contents& found, const RowsTitles& titles = {});

/// Reads what a restored database holds. Throws Error with what to install when the server cannot.
core::Contents ReadRestored(os::Connection& restored);

}  // namespace mfi::command
