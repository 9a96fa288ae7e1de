#pragma once

#include <cstddef>
#include <span>

namespace mfi::core {

/// Replay of CREATE TABLESPACE makes its directory where the live server has it, or fails where there is none. This
/// rewrites such records in a segment's bytes, so that the directory is made inside of the data directory, as for a
/// tablespace without a location; how many it were. One that goes on in the next segment is left as it is.
int KeepTablespacesInside(std::span<char> segment);

}  // namespace mfi::core
