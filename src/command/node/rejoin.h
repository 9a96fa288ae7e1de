#pragma once

#include <iosfwd>
#include <string>

namespace mfi::command {

struct RejoinOptions {
  std::string data;         // of the old primary, which is stopped
  std::string primary;      // how a superuser reaches the new primary
  std::string replication;  // how this node will stream; empty: as `primary`
  std::string slot = "mfi_rejoin";
  std::string name;         // its application_name there; empty: the slot's name
  std::string config_file;  // when postgresql.conf is not in the data directory
  bool clone = false;       // without trying pg_rewind
  bool start = true;
};

/// Makes a stopped old primary the standby of the node that was promoted: rewinds it, or clones it anew when that
/// cannot be done; keeps its own configuration, and starts it. Nothing is changed when it refuses; what is replaced by
/// a clone stays beside it. Returns the exit code.
int Rejoin(RejoinOptions options, std::ostream& out);

}  // namespace mfi::command
