#pragma once

#include <cstdint>
#include <string>

namespace mfi::os {

/// The content of a file that only this process's user can read (0600), or that root lets a group of it read (0640).
/// Throws Error(58P01) when there is none, and Error(42501), with the command that mends it, when others can read it.
/// `what` names it, such as `the password file`.
std::string ReadSecretFile(const std::string& path, const std::string& what, std::int64_t limit);

}  // namespace mfi::os
