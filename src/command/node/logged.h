#pragma once

#include <functional>
#include <iosfwd>

#include "os/base/waiter.h"
#include "os/node/node_log.h"

namespace mfi::command {

/// Runs what speaks in the form of a node's log, errors too. Returns its exit code: 1 after an error, 143 when it was
/// interrupted.
int Logged(std::ostream& out, const std::function<int(os::Waiter& waiter, os::NodeLog& log)>& run);

}  // namespace mfi::command
