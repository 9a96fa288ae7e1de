#include "core/base/printable.h"

#include <cstdint>

#include "core/base/utf8.h"

namespace mfi::core {
namespace {

/// Of Unicode's characters those that control (Cc), format (Cf) or separate lines (Zl, Zp), and what is near them.
bool IsPlain(std::uint32_t code) {
  const auto among = [code](std::uint32_t low, std::uint32_t high) { return code >= low && code <= high; };
  return !(code < 0x20 || among(0x7F, 0x9F) || code == 0xAD || among(0x600, 0x605) || code == 0x61C || code == 0x6DD ||
           code == 0x70F || among(0x890, 0x891) || code == 0x8E2 || code == 0x180E || among(0x200B, 0x200F) ||
           among(0x2028, 0x202E) || among(0x2060, 0x206F) || code == 0xFEFF || among(0xFFF9, 0xFFFB) ||
           code == 0x110BD || code == 0x110CD || among(0x13430, 0x1343F) || among(0x1BCA0, 0x1BCA3) ||
           among(0x1D173, 0x1D17A) || among(0xE0000, 0xE007F));
}

}  // namespace

std::string Printable(std::string_view text, std::size_t bytes) {
  std::string shown;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
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

std::string PlainWords(std::string_view text, std::size_t bytes) {
  constexpr std::string_view kCut = " ...";
  std::string words;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (space && (words.empty() || words.back() == ' ')) continue;
    words += space ? ' ' : byte > 0x20 && byte < 0x7f ? c : '?';
    if (words.size() > bytes) {
      words.resize(bytes < kCut.size() ? bytes : bytes - kCut.size());
      return bytes < kCut.size() ? words : words + std::string(kCut);
    }
  }
  if (!words.empty() && words.back() == ' ') words.pop_back();
  return words;
}

}  // namespace mfi::core
