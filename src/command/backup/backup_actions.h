#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace mfi::command {

/// Proves a backup set again, waits, and tells the result, for people or as JSON: {"id", "result"}. Returns 0 when it
/// is proven, 1 when it differs, 2 when it could not be proven.
int VerifyBackup(const std::string& id, bool json, std::ostream& out);

/// Calls mfi_backup_<verb> with these arguments and says `done`. Throws Error when the server refuses it.
void ActOnBackup(const std::string& verb, const std::vector<std::string>& arguments, const std::string& done,
                 std::ostream& out);

}  // namespace mfi::command
