#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mfi::core {

/// A local wall-clock minute: minutes since 1970-01-01 00:00 on the clock of one place, whatever its zone.
using LocalMinute = std::int64_t;

/// A cron text: minute, hour, day of month, month, day of week; with names, ranges, steps, lists and the
/// `@daily` family. It knows the civil calendar and nothing of time zones (see Schedule).
/// As in cron, a day must match the day of month and the day of week; when both are restricted (neither begins
/// with `*`), one of them is enough.
class Cron {
 public:
  /// Longest text that is read, in bytes.
  static constexpr std::size_t kMaxLength = 256;

  /// Throws Error(22023) that names the wrong field, its text and the allowed range; also for a text that can
  /// never fire, such as `0 0 31 2 *`.
  static Cron Parse(std::string_view text);

  /// Whether the minute or hour field begins with `*`: such a schedule follows elapsed time, not local slots.
  bool hour_or_minute_wildcard() const { return hour_or_minute_wildcard_; }

  /// The first matching minute in [from, to]; nullopt when there is none. Years 1400 to 9999.
  std::optional<LocalMinute> FirstMatch(LocalMinute from, LocalMinute to) const;

  /// The last matching minute in [from, to]; nullopt when there is none.
  std::optional<LocalMinute> LastMatch(LocalMinute from, LocalMinute to) const;

 private:
  Cron() = default;
  bool CanFire() const;
  bool MatchesDay(int day_of_month, int day_of_week) const;
  std::optional<int> FirstMinuteOfDay(int from) const;
  std::optional<int> LastMinuteOfDay(int to) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_of_month_;  // 1 to 31
  std::bitset<13> months_;         // 1 to 12
  std::bitset<7> days_of_week_;    // 0 is Sunday
  bool any_day_field_suffices_ = false;
  bool hour_or_minute_wildcard_ = false;
};

}  // namespace mfi::core
