#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace mfi::command {

/// Proves a backup set again, and waits. Returns 0 when that was so, 1 when it differs, 2 when it could not be proven.
int VerifyBackup(const std::string& id, std::ostream& out);

/// Calls mfi_backup_<verb> with these arguments and says `done`. Throws Error when the server refuses it.
void ActOnBackup(const std::string& verb, const std::vector<std::string>& arguments, const std::string& done,
                 std::ostream& out);

}  // namespace mfi::command
