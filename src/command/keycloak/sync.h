#pragma once

#include <iosfwd>

#include "command/keycloak/options.h"

namespace mfi::command {

/// Makes the groups of a portal or MFI what they are in its Keycloak realm, and imports the realm's events since the
/// last time. What ends one part does not end the others. Returns the exit code: 0 all done, 1 something was not done,
/// 2 wrong settings, 3 done, but malformed events were left out, 130 stopped.
int SyncKeycloak(const KeycloakSyncOptions& options, std::ostream& out, std::ostream& err);

}  // namespace mfi::command
