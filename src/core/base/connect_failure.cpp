#include "core/base/connect_failure.h"

#include <algorithm>
#include <cstddef>

namespace mfi::core {
namespace {

constexpr std::string_view kSeverityEnd = ":  ";  // `FATAL:  `, in whatever language
constexpr std::string_view kStateEnd = ": ";
constexpr std::size_t kStateLength = 5;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// `28000: ` and what follows.
bool BeginsWithState(std::string_view text) {
  return text.size() > kStateLength && text.substr(kStateLength).starts_with(kStateEnd) &&
         std::all_of(text.begin(), text.begin() + kStateLength,
                     [](char c) { return IsDigit(c) || (c >= 'A' && c <= 'Z'); });
}

/// `LOCATION:  function, file.c:123`.
bool IsLocation(std::string_view line) {
  const auto severity = line.find(kSeverityEnd);
  const auto number = line.rfind(':');
  return severity != std::string_view::npos && number > severity && number + 1 < line.size() &&
         line.substr(severity, number - severity).find(", ") != std::string_view::npos &&
         std::all_of(line.begin() + static_cast<std::ptrdiff_t>(number) + 1, line.end(), IsDigit);
}

}  // namespace

ConnectFailure ParseConnectFailure(std::string_view verbose) {
  ConnectFailure failure;
  while (!verbose.empty()) {
    const std::string_view line = verbose.substr(0, verbose.find('\n'));
    verbose.remove_prefix(std::min(verbose.size(), line.size() + 1));
    if (IsLocation(line)) continue;
    failure.message += failure.message.empty() ? "" : "\n";
    const auto severity = line.find(kSeverityEnd);
    const std::size_t rest = severity == std::string_view::npos ? line.size() : severity + kSeverityEnd.size();
    failure.message += line.substr(0, rest);
    const bool has_state = BeginsWithState(line.substr(rest));
    if (has_state) failure.sqlstate = line.substr(rest, kStateLength);
    failure.message += line.substr(rest + (has_state ? kStateLength + kStateEnd.size() : 0));
  }
  return failure;
}

}  // namespace mfi::core
