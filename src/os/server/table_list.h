#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "os/server/connection.h"

namespace mfi::os {

/// A table of a database, or a partitioned one, which has no rows of its own.
struct ListedTable {
  std::uint32_t oid = 0;
  std::string name;  // schema-qualified and quoted as SQL needs it
  std::string file;  // relfilenode as the catalog has it: another one after TRUNCATE and rewrites
  bool partitioned = false;
  bool in_part = false;  // of an extension, which has only some of its rows dumped
  std::string root;      // of a hash-partitioned tree; else empty

  friend bool operator==(const ListedTable&, const ListedTable&) = default;
};

/// Every table that pg_dump dumps rows of, and every partitioned one, by name. Reads catalogs alone.
std::vector<ListedTable> ListTables(Connection& connection);

}  // namespace mfi::os
