#pragma once

#include <iosfwd>
#include <string>

namespace mfi::command {

struct RecoverOptions {
  std::string to;          // a time with its offset, or `latest`
  std::string to_lsn;      // a position in WAL
  std::string before_xid;  // a transaction, without it and what came after
  std::string into;        // name of the new database; empty: <database>_at_<time>
  std::string database;    // which one; empty: mfi.database of the server
  std::string cluster;     // directory in which a whole node is built; empty: beside the live database
  std::string store;       // a node's store, or mfi.recovery_directory; empty: that of the server
  std::string scratch;     // where the recovery works; empty: mfi.scratch_directory of the server, else /var/tmp
  bool globals = false;    // make the roles first that are missing
  int jobs = 0;            // of pg_restore; 0: one per processor, at most 4
};

/// Tells `out` from when to when one can recover, per store.
void ListRecovery(const RecoverOptions& options, std::ostream& out);

/// Recovers a database as it was, into a new database of the live server, and tells what differs from the live one.
void RecoverBeside(const RecoverOptions& options, std::ostream& out);

/// Builds a whole node from the store alone, ready to start.
void RecoverCluster(const RecoverOptions& options, std::ostream& out);

}  // namespace mfi::command
