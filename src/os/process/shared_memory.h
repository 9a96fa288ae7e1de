#pragma once

#include <ctime>

namespace mfi::os {

/// Removes the System V shared memory of this user that was made at or after `since`, that nobody has attached, and
/// whose maker is gone: what programs that have ended left behind.
void RemoveAbandonedSharedMemory(std::time_t since);

}  // namespace mfi::os
