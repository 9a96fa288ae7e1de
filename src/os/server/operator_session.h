#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "os/server/connection.h"

namespace mfi::os {

/// A session in which an operator's program asks: of kind kOperator, with all settings that this server knows. `where`
/// as of Session; where it is silent, libpq's environment counts. `limit`: of each statement; 0 means none. Throws as
/// Connection does; each server has 5 seconds.
std::unique_ptr<Connection> OpenForOperator(const std::string& where, const std::string& application_name,
                                            std::chrono::seconds limit, Waiter& waiter);

}  // namespace mfi::os
