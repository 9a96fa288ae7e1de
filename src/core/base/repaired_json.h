#pragma once

#include <string>
#include <string_view>

namespace mfi::core {

/// What becomes of a zero in a string: PostgreSQL has no such character, and refuses all that is sent with it.
enum class Zero { kKeep, kReplace };

/// JSON as somebody sent it, with what no database can hold put in order, so that one such value does not keep all
/// others out: bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD, and a number that is out of a
/// double's range, or longer than 100 characters, the nearest double. All else stays as it is, also what is no JSON.
std::string Repaired(std::string_view text, Zero zero);

}  // namespace mfi::core
