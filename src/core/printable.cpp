#include "core/printable.h"

#include <cstdint>

namespace mfi::core {
namespace {

/// The character that `text` begins with, and its length; 0 when it is no UTF-8.
struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;
};

Character First(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  std::uint32_t code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[length - 2] || code > 0x10FFFF || surrogate) return {};
  return {code, length};
}

bool IsPlain(std::uint32_t code) {
  const auto among = [code](std::uint32_t low, std::uint32_t high) { return code >= low && code <= high; };
  return !(code < 0x20 || among(0x7F, 0x9F) || code == 0xAD || code == 0x61C || among(0x200B, 0x200F) ||
           among(0x2028, 0x202E) || among(0x2060, 0x206F) || code == 0xFEFF || among(0xFFF9, 0xFFFB) ||
           among(0xE0000, 0xE007F));
}

}  // namespace

std::string Printable(std::string_view text, std::size_t bytes) {
  std::string shown;
  while (!text.empty()) {
    const Character character = First(text);
    const bool plain = character.length > 0 && IsPlain(character.code);
    const std::size_t length = character.length == 0 ? 1 : character.length;
    if (shown.size() + (plain ? length : 1) > bytes) break;
    if (plain) {
      shown += text.substr(0, length);
    } else {
      shown += text[0] == '\n' || text[0] == '\t' ? ' ' : '?';
    }
    text.remove_prefix(length);
  }
  return shown;
}

}  // namespace mfi::core
