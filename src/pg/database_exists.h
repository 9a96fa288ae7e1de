#pragma once

namespace mfi::pg {

/// Whether a database of this name exists and accepts connections. For a worker attached to no database: a plain scan
/// of pg_database in a transaction of its own.
bool DatabaseExists(const char* name);

}  // namespace mfi::pg
