#pragma once

#include <iosfwd>

namespace mfi::command {

/// Lists what mfi_backups knows, newest last: as a table, or with `json` as an array of objects with its columns.
void ListBackups(bool json, std::ostream& out);

}  // namespace mfi::command
