#include "core/base/names.h"

#include <array>
#include <cstdio>

#include "core/base/timestamp.h"

namespace mfi::core {
namespace {

constexpr std::size_t kStampLength = 16;  // 20261122T020000Z

std::string Escaped(std::string_view value, std::string_view special, bool double_it) {
  std::string out = "'";
  for (const char c : value) {
    if (special.find(c) != std::string_view::npos) out += double_it ? c : '\\';
    out += c;
  }
  return out + "'";
}

std::string_view WithoutLastNewlines(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// Where the first of `lines` lines begins, the last of which holds or ends at the position `at`.
std::size_t FirstOfLines(std::string_view text, std::size_t at, int lines) {
  for (; lines > 0; --lines) {
    const auto newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    if (newline == std::string_view::npos) return 0;
    at = newline;
  }
  return at + 1;
}

}  // namespace

std::string EncodeFileName(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool leading = out.empty() && (c == '.' || c == '-');
    if (byte < 0x20 || byte == 0x7f || c == '/' || c == '%' || leading) {
      std::array<char, 4> hex{};
      std::snprintf(hex.data(), hex.size(), "%%%02X", static_cast<unsigned>(byte));
      out += hex.data();
    } else {
      out += c;
    }
  }
  return out;
}

std::string RunId(std::string_view database, UtcSeconds at) {
  return EncodeFileName(database) + "_" + FormatCompact(at);
}

bool IsRunId(std::string_view text) {
  if (text.size() <= kStampLength + 1 || text.size() > 255) return false;
  const std::string_view name = text.substr(0, text.size() - kStampLength - 1);
  if (text[name.size()] != '_' || name.front() == '.' || name.front() == '-') return false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '/') return false;
  }
  const auto stamp = ParseTimestamp(text.substr(name.size() + 1));
  return stamp.has_value() && FormatCompact(*stamp) == text.substr(name.size() + 1);
}

std::string ConninfoValue(std::string_view value) { return Escaped(value, "'\\", false); }

std::string SqlLiteral(std::string_view value) { return Escaped(value, "'", true); }

std::string LastLines(std::string_view text, int lines, std::size_t bytes) {
  text = WithoutLastNewlines(text);
  if (text.size() > bytes) text.remove_prefix(text.size() - bytes);
  return std::string(text.substr(FirstOfLines(text, text.size(), lines)));
}

}  // namespace mfi::core
