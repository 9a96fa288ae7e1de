#pragma once

namespace mfi::os {

/// Runs in a process that was forked to keep a program. Forks, calls `start` (which executes the program) in the child,
/// and ends the way the program ended, but not before every process that came of it is gone, since one that left its
/// group or its session has nobody else to end it, and the System V shared memory that they made, since their sandbox
/// lets them remove none. The end signal is passed on; what has not ended 4 s later is killed.
[[noreturn]] void Keep(int end_signal, void (*start)(const void*), const void* argument);

}  // namespace mfi::os
