#include "core/base/timestamp.h"

#include <array>
#include <boost/date_time/gregorian/gregorian.hpp>
#include <boost/date_time/posix_time/posix_time.hpp>
#include <charconv>
#include <cstdio>

namespace mfi::core {
namespace {

namespace gregorian = boost::gregorian;
namespace posix_time = boost::posix_time;

posix_time::ptime ToPtime(UtcSeconds at) {
  static const posix_time::ptime kEpoch(gregorian::date(1970, 1, 1));
  // Days and seconds apart: posix_time::seconds alone would overflow 32 bits on some platforms.
  const UtcSeconds days = at >= 0 ? at / kDay : -((-at + kDay - 1) / kDay);
  return kEpoch + gregorian::days(static_cast<long>(days)) + posix_time::seconds(static_cast<long>(at - days * kDay));
}

std::optional<int> Digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

/// True when `text` has the layout of `pattern`, where `d` stands for a digit.
bool HasLayout(std::string_view text, std::string_view pattern) {
  if (text.size() != pattern.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (pattern[i] == 'd' ? !digit : text[i] != pattern[i]) return false;
  }
  return true;
}

std::string Rounded(double value, const char* unit) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), value < 10 ? "%.1f %s" : "%.0f %s", value, unit);
  return buffer.data();
}

}  // namespace

std::string FormatIso(UtcSeconds at) { return posix_time::to_iso_extended_string(ToPtime(at)) + "Z"; }

std::string FormatCompact(UtcSeconds at) { return posix_time::to_iso_string(ToPtime(at)) + "Z"; }

std::optional<UtcSeconds> ParseTimestamp(std::string_view text) {
  std::string digits;
  if (HasLayout(text, "dddd-dd-ddTdd:dd:ddZ") || HasLayout(text, "ddddddddTddddddZ")) {
    for (const char c : text) {
      if (c >= '0' && c <= '9') digits += c;
    }
  } else {
    return std::nullopt;
  }
  const std::string_view d = digits;
  const int year = *Digits(d.substr(0, 4));
  const int month = *Digits(d.substr(4, 2));
  const int day = *Digits(d.substr(6, 2));
  const int hour = *Digits(d.substr(8, 2));
  const int minute = *Digits(d.substr(10, 2));
  const int second = *Digits(d.substr(12, 2));
  if (year < 1400 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  if (day < 1 || day > gregorian::gregorian_calendar::end_of_month_day(static_cast<unsigned short>(year),
                                                                       static_cast<unsigned short>(month))) {
    return std::nullopt;
  }
  const gregorian::date date(static_cast<unsigned short>(year), static_cast<unsigned short>(month),
                             static_cast<unsigned short>(day));
  return (date - gregorian::date(1970, 1, 1)).days() * kDay + hour * kHour + minute * kMinute + second;
}

std::string FormatDuration(std::int64_t seconds) {
  if (seconds < 0) return "-" + FormatDuration(-seconds);
  if (seconds < 2 * kMinute) return std::to_string(seconds) + " s";
  if (seconds < 2 * kHour) return std::to_string(seconds / kMinute) + " min";
  if (seconds < 2 * kDay) return std::to_string(seconds / kHour) + " h";
  return std::to_string(seconds / kDay) + " days";
}

std::string FormatBytes(std::int64_t bytes) {
  if (bytes < 0) return "-" + FormatBytes(-bytes);
  constexpr std::int64_t kKilo = 1024;
  if (bytes < 10 * kKilo) return std::to_string(bytes) + " bytes";
  const auto value = static_cast<double>(bytes);
  if (bytes < kKilo * kKilo) return Rounded(value / kKilo, "kB");
  if (bytes < kKilo * kKilo * kKilo) return Rounded(value / (kKilo * kKilo), "MB");
  return Rounded(value / (kKilo * kKilo * kKilo), "GB");
}

}  // namespace mfi::core
