#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "core/node/death_proof.h"
#include "os/base/waiter.h"

namespace mfi::command {

/// Where the primary is that a standby would take the place of.
struct OldPrimary {
  std::string stream = {};                              // primary_conninfo, or what it would be
  std::string peer = {};                                // mfi.peer_conninfo: who answers there is a standby, or alive
  std::map<std::string, std::string> environment = {};  // of the server whose settings these are
  std::string system_identifier = {};                   // of the cluster; empty: servers of this machine do not count
  std::string own_data = {};                            // the standby's data directory
  std::string own_name = {};                            // in the stack: this container's, by which its engine is known
};

/// How it is known that the primary still sends; empty when it is not.
using Heard = std::function<std::string()>;

/// Looks at all its addresses, three times within `within`, unless the first look shows that it is not dead.
core::DeathVerdict LookWhetherDead(const OldPrimary& primary, const Heard& heard, std::chrono::milliseconds within,
                                   os::Waiter& waiter);

/// What an operator is told who may know more than can be seen: what was seen, then `stop`, then the option.
std::string WayOut(const core::DeathVerdict& verdict, const std::string& stop, const std::string& command);

}  // namespace mfi::command
