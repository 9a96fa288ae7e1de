#pragma once

#include <string>

#include "core/node/control_data.h"
#include "os/server/connection.h"

namespace mfi::os {

/// The cluster and timeline of a server, by a replication connection as a standby makes it: its success shows that one
/// could stream from there. `conninfo` is a connection string or URI. Throws Error: ConnectError when there is no
/// connection.
core::ControlData AskUpstream(const std::string& conninfo, const std::string& application_name, Waiter& waiter);

/// Whether an error of a connection attempt says that nobody is there. Whoever takes a connection is somebody, be it
/// that he says nothing or cannot be authenticated.
bool IsNobody(const core::Error& error);

}  // namespace mfi::os
