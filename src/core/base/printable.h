#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mfi::core {

/// A text that may hold whatever somebody named a file, made fit for a log, a terminal and a database in UTF-8: one
/// line; what is no UTF-8, a control character, or turns the direction of what follows becomes `?`. Letters of all
/// languages stay. At most `bytes` bytes, and no character is cut in two.
std::string Printable(std::string_view text, std::size_t bytes = std::string_view::npos);

}  // namespace mfi::core
