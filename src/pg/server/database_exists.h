#pragma once

#include "pg/server/pg.h"

extern "C" {
#include "catalog/pg_database.h"
}

namespace mfi::pg {

/// Calls `visit` for each row of pg_database, in the current transaction.
void VisitDatabases(void (*visit)(const FormData_pg_database& row, void* argument), void* argument);

/// Whether a database of this name exists and accepts connections. For a worker attached to no database: a plain scan
/// of pg_database in a transaction of its own.
bool DatabaseExists(const char* name);

}  // namespace mfi::pg
