#pragma once

#include <string>

#include "command/restore/restore_server.h"
#include "core/restore/roles_plan.h"

namespace mfi::command {

/// Runs the plan of a globals.sql in one transaction; a failure changes nothing, and names the statement. Names are
/// made of the bytes that the script has.
core::RolesPlan RestoreRoles(RestoreServer& server, const std::string& globals);

}  // namespace mfi::command
