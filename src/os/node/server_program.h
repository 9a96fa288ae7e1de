#pragma once

#include <string>
#include <vector>

#include "os/process/child.h"

namespace mfi::os {

/// The path of one of the server's own programs: the one beside this program, else of PATH, else where Debian has it.
/// Throws Error(58P01) when there is none.
std::string FindServerProgram(const std::string& name);

/// Runs one of them to its end, with this process's environment, but in English and without a password, which a server
/// that it starts would keep; and with `more` (KEY=VALUE).
ChildResult RunServerProgram(const std::string& name, std::vector<std::string> arguments, Waiter& waiter,
                             const std::vector<std::string>& more = {});

/// `environment` with messages in English, and the encoding that it had.
std::vector<std::string> InEnglish(const std::vector<std::string>& environment);

}  // namespace mfi::os
