#pragma once

#include <iosfwd>
#include <string>

namespace mfi::command {

struct RestoreOptions {
  std::string set = "latest";          // an id of mfi_backups, or a directory: what has a slash
  std::string into;                    // name of the new database; empty: <database>_restored_<time>
  std::string replace;                 // the database in whose place the restored one goes; empty: none
  bool globals = false;                // restore the set's roles first
  int jobs = 0;                        // of pg_restore; 0: one per processor, at most 4
  std::string called = "mfi restore";  // how the user calls this
  bool temporary = false;              // the set is gone after this: how to use it again is not said
};

/// Restores a backup set as the user's client and tells `out` of it. Returns when all that was restored is equal to
/// what the set's manifest says; else throws Error: what, what was changed so far, and the next step.
void Restore(const RestoreOptions& options, std::ostream& out);

}  // namespace mfi::command
