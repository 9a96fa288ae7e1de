#pragma once

#include <string>
#include <vector>

namespace mfi::pg {

/// shared_preload_libraries without mfi, quoted as it takes it.
std::string OtherPreloadedLibraries();

/// `name=value` of what libraries in this process have defined and its configuration has set, without mfi's own. Called
/// in a transaction, since some are for those alone whom a catalog names.
std::vector<std::string> SettingsOfLibraries();

}  // namespace mfi::pg
