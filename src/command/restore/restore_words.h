#pragma once

#include <string>
#include <vector>

namespace mfi::command {

/// A name as a user types it in a shell.
std::string ShellWord(const std::string& name);

/// Names in a sentence, fit for a terminal.
std::string List(const std::vector<std::string>& names);

}  // namespace mfi::command
