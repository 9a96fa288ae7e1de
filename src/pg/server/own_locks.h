#pragma once

namespace mfi::pg {

/// Raises an ERROR when this session's transaction holds a lock in `database` that a dump of it would wait for: who
/// waits for the dump inside that transaction would wait for itself.
void RefuseOwnLocks(const char* database);

}  // namespace mfi::pg
