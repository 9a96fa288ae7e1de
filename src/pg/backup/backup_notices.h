#pragma once

#include <optional>
#include <string>

#include "core/base/time.h"

// What the launcher lets the verdicts know of the schedule and of mfi.notify_command, in shared memory. Without it
// nothing is known: no next run, a schedule that is not held, no failure.
namespace mfi::pg {

/// Asks for the shared memory of this module; called from _PG_init while preloading.
void InitBackupNotices();

/// When the next run begins by itself; nullopt: none is planned.
void ShowNextRun(std::optional<core::UtcSeconds> at);
std::optional<core::UtcSeconds> NextRun();

/// Whether an invalid setting keeps the schedule from running.
void ShowScheduleHeld(bool held);
bool ScheduleIsHeld();

/// Why the last mfi.notify_command failed; empty after a success.
void ShowNotifyFailure(const std::string& failure);
std::string NotifyFailure();

}  // namespace mfi::pg
