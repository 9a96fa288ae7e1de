#pragma once

#include <string>
#include <string_view>

namespace mfi::core {

/// A message of a server in words that hold nothing of it: the pattern it fits, of a fixed list, with `...` for what it
/// names. A message can quote a row, or be whatever a trigger raises, so none is ever passed on itself. "" when it fits
/// none.
std::string KnownServerMessage(std::string_view message);

}  // namespace mfi::core
