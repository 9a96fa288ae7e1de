#pragma once

#include <string>

#include "core/manifest.h"
#include "os/connection.h"

namespace mfi::os {

/// Opens a read-only, repeatable-read transaction, exports its snapshot, and fills into the manifest what the source
/// says of itself in it. Returns the snapshot's name, valid as long as the connection stays in the transaction. Time
/// limits that role or database may have are the connection's business.
std::string OpenSnapshot(Connection& source, core::Manifest& manifest);

}  // namespace mfi::os
