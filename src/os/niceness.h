#pragma once

#include <sys/types.h>

namespace mfi::os {

/// Gives a process of our user a niceness, and the scheduler's group of its session too: where Linux groups processes
/// by session (kernel.sched_autogroup_enabled, no CPU cgroup), niceness counts only within a group, and each server
/// process has a session of its own. False when the kernel, which takes ten such changes a second, wants to be asked
/// again.
bool Renice(pid_t pid, int niceness);

/// The same for every child of a process; what the kernel does not take now is left to the next call.
void ReniceChildren(pid_t parent, int niceness);

}  // namespace mfi::os
