#pragma once

#include <iosfwd>
#include <string>

#include "os/base/waiter.h"
#include "os/node/node_log.h"

namespace mfi::command {

struct PromoteOptions {
  bool force = false;               // although the old primary answers
  std::string slot = "mfi_rejoin";  // for the other node, so that the WAL it needs to come back is kept
};

/// Makes the standby that the environment names the primary, and returns when it is one. Throws Error, whose hint has
/// the next steps, before anything is changed: while the old primary answers, or somebody in its place.
void PromoteServer(const PromoteOptions& options, os::Waiter& waiter, os::NodeLog& log);

/// `mfi promote` outside of the containers. Returns the exit code.
int Promote(const PromoteOptions& options, std::ostream& out);

}  // namespace mfi::command
