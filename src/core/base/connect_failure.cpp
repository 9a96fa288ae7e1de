#include "core/base/connect_failure.h"

#include <algorithm>
#include <array>
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

/// What a system call says where no server is, and what is said when the time for it is over.
constexpr std::array<std::string_view, 8> kNobody = {
    "Connection refused", "Connection timed out", "timeout expired",        "No route to host",
    "Host is down",       "Host is unreachable",  "Network is unreachable", "No such file or directory"};

/// One attempt, or the question that libpq adds to it.
bool LineTellsOfNobody(std::string_view line) {
  constexpr std::string_view kSilent = " did not answer within ";
  constexpr std::string_view kNext = "; ";
  constexpr std::string_view kFailed = " failed: ";
  line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
  for (auto end = line.find(kNext); end != std::string_view::npos; end = line.find(kNext)) {
    if (line.substr(0, end).find(kSilent) == std::string_view::npos) break;
    line.remove_prefix(end + kNext.size());
  }
  if (line.empty() || line.starts_with("Is the server running") || line.starts_with("no connection within ") ||
      line.starts_with("could not translate host name ")) {
    return true;
  }
  const auto failed = line.find(kFailed);
  return failed != std::string_view::npos &&
         std::find(kNobody.begin(), kNobody.end(), line.substr(failed + kFailed.size())) != kNobody.end();
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

bool TellsOfNobody(std::string_view message) {
  while (!message.empty()) {
    const std::string_view line = message.substr(0, message.find('\n'));
    message.remove_prefix(std::min(message.size(), line.size() + 1));
    if (!LineTellsOfNobody(line)) return false;
  }
  return true;
}

}  // namespace mfi::core
