#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "command/restore/restore_server.h"

namespace mfi::command {

/// Throws Error when the server's data are on this machine and the file systems of these tablespaces (empty: that of
/// every new database) have less room than that together. Where it cannot be known, nothing is said.
void CheckRoom(RestoreServer& server, const std::vector<std::string>& tablespaces, std::int64_t needed);

}  // namespace mfi::command
