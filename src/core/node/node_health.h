#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/verdict.h"

namespace mfi::core {

struct DatabaseFacts {
  std::string name;
  std::int64_t checksum_failures = 0;
  std::string collation_version;         // as the database was made with; empty: its collation has no version
  std::string actual_collation_version;  // as the machine's library has it now
};

/// What a server says of itself, replication and backups aside.
struct NodeFacts {
  bool preloaded = false;
  bool launcher_alive = false;
  bool watcher_alive = true;
  double launcher_stalled_s = 0;    // it has not come round for so long; 0: it does
  std::string invalid_settings;     // empty: all are in force
  std::string peers_unsaved;        // why the memory of standbys is not on disk; empty: it is
  std::string maintenance_failure;  // what ended the last maintainer; empty: nothing
  std::string database;             // where it works
  Reasons schema;                   // what the database says of its own tables
  std::vector<DatabaseFacts> databases;
  std::optional<double> oldest_transaction_s;  // of client sessions, the dumps of backups left out
  int oldest_transaction_pid = 0;
  double transaction_warning_s = 3600;
  int prepared_transactions = 0;
  double oldest_prepared_s = 0;
  std::string oldest_prepared_gid;
  std::int64_t xid_age = 0;        // transactions since the oldest one that is not frozen
  std::int64_t multixact_age = 0;  // the same for row locks shared by several transactions
  std::int64_t freeze_max_age = 0;
  std::int64_t multixact_freeze_max_age = 0;
};

/// That the server accepts connections is proven by being asked.
Reasons JudgeNode(const NodeFacts& facts);

}  // namespace mfi::core
