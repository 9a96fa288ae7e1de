#include "core/node/control_data.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

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

std::vector<RequiredSetting> ParseRequiredSettings(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames = {{
      {"max_connections", "max_connections setting"},
      {"max_worker_processes", "max_worker_processes setting"},
      {"max_wal_senders", "max_wal_senders setting"},
      {"max_prepared_transactions", "max_prepared_xacts setting"},
      {"max_locks_per_transaction", "max_locks_per_xact setting"},
  }};
  std::vector<RequiredSetting> settings;
  for (const auto& [name, shown] : kNames) {
    const std::string_view value = ValueOf(text, shown);
    const auto least = value == "0" ? std::optional<std::int64_t>(0) : Positive<std::int64_t>(value);
    if (!least) return {};
    settings.push_back({std::string(name), *least});
  }
  return settings;
}

}  // namespace mfi::core
