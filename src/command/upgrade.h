#pragma once

#include <iosfwd>

namespace mfi::command {

/// Brings the objects of the extension to the version that is installed, as ALTER EXTENSION mfi UPDATE does, and looks
/// whether the schema is whole. Throws Error when not; an update that fails changes nothing.
void Upgrade(std::ostream& out);

}  // namespace mfi::command
