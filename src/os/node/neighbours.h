#pragma once

#include <string>
#include <vector>

namespace mfi::os {

/// The data directories of servers that run on this machine on data of the same cluster, and not as a standby: of a
/// primary, whatever it listens at, or of one that works in single-user mode and listens nowhere. `own`: that of this
/// node. As far as this user may see its processes.
std::vector<std::string> PrimariesHere(const std::string& system_identifier, const std::string& own);

}  // namespace mfi::os
