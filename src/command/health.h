#pragma once

#include <iosfwd>
#include <string>

namespace mfi::command {

/// Tells the verdict of a scope (node, replication, backup, recovery, all), its reasons and what to do, for people or
/// as JSON:
/// {"scope", "verdict", "reasons": [...], "next_steps": [...]}. Returns the exit code as Nagios has it: 0 ok, 1
/// warning, 2 critical, also when there is none within eight seconds, 3 unknown.
int Health(const std::string& scope, bool json, std::ostream& out);

}  // namespace mfi::command
