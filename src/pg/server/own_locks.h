#pragma once

namespace mfi::pg {

/// Raises an ERROR when this session's transaction holds a lock in `database` that whoever reads it would wait for: who
/// waits for that inside of the transaction would wait for itself. `who`: as in "the backup".
void RefuseOwnLocks(const char* database, const char* who, const char* hint);

}  // namespace mfi::pg
