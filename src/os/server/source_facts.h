#pragma once

#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "os/server/connection.h"

namespace mfi::os {

/// `name=value` for what gives values their meaning in a session that nobody has told anything: the settings that a
/// restore takes, as server, database and role have them. The connection is of a kind that reads settings.
std::vector<std::string> ReadSessionSettings(Connection& source);

/// Fills into the manifest what the source says of itself, in the transaction that the connection is in.
void ReadSourceFacts(Connection& source, core::Manifest& manifest);

}  // namespace mfi::os
