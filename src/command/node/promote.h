#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

#include "os/base/waiter.h"
#include "os/node/node_log.h"

namespace mfi::command {

struct PromoteOptions {
  bool primary_is_down = false;            // the operator says so: it is not looked for
  std::string slot = "mfi_rejoin";         // for the other node, so that the WAL it needs to come back is kept
  std::chrono::milliseconds within{6000};  // the time in which the old primary is looked for three times
  std::string own_name = {};               // in the stack: this container's
};

/// Makes the standby that the environment names the primary, and returns when it is one. Throws Error, whose hint has
/// the next steps, before anything is changed: unless the old primary is proven to be dead, or the operator says so.
void PromoteServer(const PromoteOptions& options, os::Waiter& waiter, os::NodeLog& log);

/// `mfi promote` outside of the containers. Returns the exit code.
int Promote(const PromoteOptions& options, std::ostream& out);

}  // namespace mfi::command
