#pragma once

#include <string>

#include "core/roles_plan.h"
#include "os/connection.h"

namespace mfi::command {

/// Runs the plan of a globals.sql in one transaction; a failure changes nothing, and names the statement.
core::RolesPlan RestoreRoles(os::Connection& connection, const std::string& globals);

}  // namespace mfi::command
