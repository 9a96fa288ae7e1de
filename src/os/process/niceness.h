#pragma once

#include <sys/types.h>

namespace mfi::os {

/// Lets others go before a process of our user (0: this one, and what it will start): a niceness, batch scheduling, and
/// the shortest time slice there is, so that who wakes up does not wait until a longer one has ended (Linux 6.12; older
/// kernels give the batch policy alone). Niceness 0, here and below, leaves everything as it is. Async-signal-safe.
void GiveWay(pid_t pid, int niceness);

/// The same for a running process and the scheduler's group of its session: where Linux groups processes by session
/// (kernel.sched_autogroup_enabled, no CPU cgroup), niceness counts only within a group, and each server process has a
/// session of its own. False when the kernel, which takes ten such changes a second, wants to be asked again.
bool Renice(pid_t pid, int niceness);

/// The same for all that came of a process; what the kernel does not take now is left to the next call.
void ReniceDescendants(pid_t parent, int niceness);

}  // namespace mfi::os
