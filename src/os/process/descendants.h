#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace mfi::os {

/// Processes that a process has started and that are there; empty when it is gone.
std::vector<pid_t> ChildrenOf(pid_t parent);

/// The command line of a process up to its first zero byte, where server processes tell what they do; empty when it is
/// gone.
std::string TitleOf(pid_t pid);

}  // namespace mfi::os
