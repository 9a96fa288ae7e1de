#include "core/base/utf8.h"

namespace mfi::core {
namespace {

constexpr std::uint32_t kBytes = 0x10FF00;  // U+10FF80 to U+10FFFF stand for the bytes 0x80 to 0xFF

bool IsByte(const Character& character) { return character.code >= kBytes + 0x80; }

/// The character that stands for a byte of 0x80 or more.
std::string ByteAsCharacter(char byte) {
  const unsigned value = static_cast<unsigned char>(byte);
  return {'\xf4', '\x8f', static_cast<char>(0xBC | ((0xFF00U | value) >> 6U & 0x3FU)),
          static_cast<char>(0x80U | (value & 0x3FU))};
}

}  // namespace

Character FirstCharacter(std::string_view text) {
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

std::string BytesToCharacters(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const Character character = FirstCharacter(bytes);
    const bool as_it_is = character.length > 0 && !IsByte(character);
    text += as_it_is ? std::string(bytes.substr(0, character.length)) : ByteAsCharacter(bytes.front());
    bytes.remove_prefix(as_it_is ? character.length : 1);
  }
  return text;
}

std::string CharactersToBytes(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    const std::size_t length = character.length == 0 ? 1 : character.length;
    if (IsByte(character)) {
      bytes += static_cast<char>(character.code - kBytes);
    } else {
      bytes += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return bytes;
}

}  // namespace mfi::core
