#include "core/base/lsn.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace mfi::core {
namespace {

std::optional<std::uint32_t> ParseHalf(std::string_view text) {
  std::uint32_t value = 0;
  if (text.empty() || text.size() > 8) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string FormatLsn(Lsn lsn) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%X/%X", static_cast<unsigned>(lsn >> 32U), static_cast<unsigned>(lsn));
  return text.data();
}

std::optional<Lsn> ParseLsn(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint32_t> high = ParseHalf(text.substr(0, slash));
  const std::optional<std::uint32_t> low = ParseHalf(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return Lsn{*high} << 32U | *low;
}

}  // namespace mfi::core
