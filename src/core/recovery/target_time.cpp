#include "core/recovery/target_time.h"

#include <array>
#include <cstdio>
#include <optional>

#include "core/base/error.h"
#include "core/base/timestamp.h"

namespace mfi::core {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

[[noreturn]] void Refuse(std::string_view text, const std::string& why) {
  throw Error(sqlstate::kInvalidParameterValue, "\"" + std::string(text) + "\" is no time to recover to: " + why, {},
              "Write it with its offset from UTC: '2026-11-24 13:04:30+02', or '2026-11-24 11:04:30Z'.");
}

/// Takes exactly so many digits off the front.
std::optional<int> TakeDigits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool Take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

/// Up to six digits behind the seconds.
std::optional<std::int64_t> TakeFraction(std::string_view& text) {
  if (!Take(text, '.')) return 0;
  std::int64_t value = 0;
  int digits = 0;
  while (digits < 6) {
    const std::optional<int> digit = TakeDigits(text, 1);
    if (!digit) break;
    value = value * 10 + *digit;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) value *= 10;
  return value;
}

/// Seconds east of UTC.
std::optional<std::int64_t> TakeOffset(std::string_view& text) {
  if (Take(text, 'Z') || Take(text, 'z')) return 0;
  const bool west = !text.empty() && text.front() == '-';
  if (!west && (text.empty() || text.front() != '+')) return std::nullopt;
  text.remove_prefix(1);
  const std::optional<int> hours = TakeDigits(text, 2);
  if (!hours || *hours > 15) return std::nullopt;
  std::optional<int> minutes = 0;
  if (!text.empty()) {
    Take(text, ':');
    minutes = TakeDigits(text, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
  }
  const std::int64_t seconds = *hours * kHour + *minutes * kMinute;
  return west ? -seconds : seconds;
}

}  // namespace

std::int64_t ParseTargetTime(std::string_view text) {
  constexpr std::size_t kMoment = 19;  // 2026-11-24 13:04:30
  std::string moment(text.substr(0, kMoment));
  if (moment.size() == kMoment && moment[10] == ' ') moment[10] = 'T';
  const std::optional<UtcSeconds> at = ParseTimestamp(moment + "Z");
  if (!at) Refuse(text, "it is not of the form YYYY-MM-DD HH:MM:SS+HH");
  std::string_view rest = text.substr(kMoment);
  const std::optional<std::int64_t> fraction = TakeFraction(rest);
  if (!fraction) Refuse(text, "the fraction of the second has no digits");
  while (Take(rest, ' ')) {
  }
  if (rest.empty()) Refuse(text, "it does not say in which zone that is");
  const std::optional<std::int64_t> offset = TakeOffset(rest);
  if (!offset || !rest.empty()) Refuse(text, "what follows the seconds is no offset from UTC");
  return (*at - *offset) * kMicros + *fraction;
}

std::string FormatTargetTime(std::int64_t micros) {
  const std::int64_t fraction = ((micros % kMicros) + kMicros) % kMicros;
  std::string text = FormatIso((micros - fraction) / kMicros);
  text[10] = ' ';
  text.pop_back();  // Z
  if (fraction != 0) {
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), ".%06d", static_cast<int>(fraction));
    text += digits.data();
    while (text.back() == '0') text.pop_back();
  }
  return text + "+00";
}

}  // namespace mfi::core
