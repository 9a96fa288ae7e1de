#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

inline constexpr std::int64_t kMaxEnvironmentBytes = std::int64_t{64} * 1024;

/// mfi.offsite_environment_file: a line `NAME=value` for each variable, as docker and systemd read it; `export ` before
/// it, and quotes around the whole value, are taken away; empty lines and those that begin with # count for nothing.
/// Throws Error(F0000) with the line's number, never with its text, which is a secret.
std::vector<std::string> ParseEnvironment(std::string_view text);

}  // namespace mfi::core
