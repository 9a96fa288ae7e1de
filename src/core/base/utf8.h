#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mfi::core {

/// A character in UTF-8.
struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;  // in bytes; 0: no UTF-8
};

/// The one that `text`, which is not empty, begins with.
Character FirstCharacter(std::string_view text);

/// Any bytes as UTF-8, and back: a byte that is no part of a character becomes U+10FF00 + byte. Characters that look
/// like one of these (U+10FF80 to U+10FFFF) are taken for bytes themselves, so that nothing is lost.
std::string BytesToCharacters(std::string_view bytes);
std::string CharactersToBytes(std::string_view text);

}  // namespace mfi::core
