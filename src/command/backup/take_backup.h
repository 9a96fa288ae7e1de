#pragma once

#include <iosfwd>
#include <string>

namespace mfi::command {

/// Takes a backup now and waits for it. Returns 0 when it is there and verified as mfi.backup_verify wants, 1 when it
/// failed, 2 when it is there but could not be proven, 130 when the waiting was interrupted: the backup goes on.
/// Throws Error when none was queued. `json`: the end as {"id", "state", "size_bytes", "path", "verify_method",
/// "verify_result", "error"}, and nothing else.
int TakeBackup(const std::string& note, bool json, std::ostream& out, std::ostream& errors);

}  // namespace mfi::command
