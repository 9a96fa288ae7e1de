#pragma once

#include <string>

namespace mfi::os {

/// A program of PATH, or of where Debian has it. Throws Error(58P01), which names the package.
std::string FindProgram(const std::string& name);

}  // namespace mfi::os
