#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mfi::core {

/// A text that may hold whatever somebody named a file, made fit for a log, a terminal and a database in UTF-8: one
/// line; what is no UTF-8, a control character, or turns the direction of what follows becomes `?`. Letters of all
/// languages stay. At most `bytes` bytes, and no character is cut in two.
std::string Printable(std::string_view text, std::size_t bytes = std::string_view::npos);

/// What may quote whoever answered, or whoever named a file, made fit for a log and a verdict in any encoding: what is
/// not printable ASCII becomes `?`, line breaks and tabs become spaces, and it has at most `bytes` bytes.
std::string PlainWords(std::string_view text, std::size_t bytes);

}  // namespace mfi::core
