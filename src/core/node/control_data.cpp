#include "core/node/control_data.h"

#include <algorithm>
#include <charconv>

namespace mfi::core {
namespace {

template <typename Number>
std::optional<Number> Positive(std::string_view text) {
  Number value = 0;
  if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The value of the line `<name>: <value>`; empty when there is none.
std::string_view ValueOf(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return line;
  }
  return {};
}

}  // namespace

std::optional<ControlData> ParseControlData(std::string_view text) {
  if (text.find("WARNING") != std::string_view::npos) return std::nullopt;
  const auto system = Positive<std::uint64_t>(ValueOf(text, "Database system identifier"));
  const auto timeline = Positive<std::uint32_t>(ValueOf(text, "Latest checkpoint's TimeLineID"));
  if (!system || !timeline) return std::nullopt;
  return ControlData{std::to_string(*system), *timeline};
}

}  // namespace mfi::core
