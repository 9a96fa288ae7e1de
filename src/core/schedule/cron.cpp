#include "core/schedule/cron.h"

#include <algorithm>
#include <array>
#include <boost/date_time/gregorian/gregorian_types.hpp>
#include <charconv>
#include <span>
#include <vector>

#include "core/base/error.h"

namespace mfi::core {

namespace {

namespace gregorian = boost::gregorian;

constexpr int kMinutesPerDay = 24 * 60;
constexpr char kHint[] =
    "Write minute, hour, day of month, month and day of week, for example \"0 2 * * *\" (each day at 02:00) or "
    "\"30 1 * * mon-fri\", or @hourly, @daily, @weekly, @monthly, @yearly.";

struct Field {
  std::string_view name;
  int min;
  int max;
  std::span<const std::string_view> names;  // the first one stands for `min`
};

constexpr std::array<std::string_view, 12> kMonthNames = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDayNames = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

constexpr std::array<Field, 5> kFields = {{
    {"minute", 0, 59, {}},
    {"hour", 0, 23, {}},
    {"day-of-month", 1, 31, {}},
    {"month", 1, 12, kMonthNames},
    {"day-of-week", 0, 7, kDayNames},
}};

struct Nickname {
  std::string_view name;
  std::string_view text;
};

constexpr std::array<Nickname, 7> kNicknames = {{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

[[noreturn]] void Refuse(const std::string& message, std::string hint = kHint) {
  throw Error(sqlstate::kInvalidParameterValue, message, {}, std::move(hint));
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = text.find_first_not_of(" \t"); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(" \t", end);
  }
  return words;
}

/// Parses one field of `schedule`; every error names the field, its text and what is wrong with it.
class FieldParser {
 public:
  FieldParser(const Field& field, std::string_view text, std::string_view schedule)
      : field_(field), text_(text), schedule_(schedule) {}

  /// All values the field lists, within its range.
  std::vector<int> Parse() const {
    std::vector<int> values;
    for (std::string_view item : Split(text_, ',')) {
      if (item.empty()) Fail("an item of the list is empty");
      AppendItem(item, values);
    }
    return values;
  }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    Refuse("invalid " + std::string(field_.name) + " field " + Quoted(text_) + " in schedule " + Quoted(schedule_) +
           ": " + what);
  }

  std::string Allowed() const {
    std::string allowed = std::to_string(field_.min) + " to " + std::to_string(field_.max);
    if (!field_.names.empty()) {
      allowed += " or " + std::string(field_.names.front()) + " to " + std::string(field_.names.back());
    }
    return allowed;
  }

  void AppendItem(std::string_view item, std::vector<int>& values) const {
    const std::vector<std::string_view> stepped = Split(item, '/');
    if (stepped.size() > 2) Fail(Quoted(item) + " has more than one step");
    const std::vector<std::string_view> range = Split(stepped[0], '-');
    if (range.size() > 2) Fail(Quoted(item) + " is neither a value nor a range");
    const bool star = stepped[0] == "*";
    if (stepped.size() == 2 && !star && range.size() == 1) {
      Fail("the step in " + Quoted(item) + " needs * or a range before it");
    }
    const int first = star ? field_.min : Value(range.front());
    const int last = star ? field_.max : Value(range.back());
    if (first > last) Fail("the range " + Quoted(stepped[0]) + " ends before it begins");
    const int step = stepped.size() == 2 ? Step(stepped[1]) : 1;
    for (int value = first; value <= last; value += step) values.push_back(value);
  }

  int Value(std::string_view text) const {
    const auto name = std::find(field_.names.begin(), field_.names.end(), Lower(text));
    if (name != field_.names.end()) return field_.min + static_cast<int>(name - field_.names.begin());
    return Number(text, field_.min, Allowed());
  }

  int Step(std::string_view text) const { return Number(text, 1, "a step of 1 to " + std::to_string(field_.max)); }

  int Number(std::string_view text, int min, const std::string& allowed) const {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
      Fail(Quoted(text) + " is not " + allowed);
    }
    if (error != std::errc() || value < min || value > field_.max) {
      Fail(std::string(text) + " is not in the allowed range, " + allowed);
    }
    return value;
  }

  const Field& field_;
  std::string_view text_;
  std::string_view schedule_;
};

void RefuseUnreadable(std::string_view text) {
  if (text.size() > Cron::kMaxLength) {
    Refuse("schedule is longer than " + std::to_string(Cron::kMaxLength) + " bytes");
  }
  const auto printable = [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; };
  const auto odd = std::find_if_not(text.begin(), text.end(), printable);
  if (odd != text.end()) {
    Refuse("schedule contains a character that is not printable ASCII, at position " +
           std::to_string(odd - text.begin() + 1));
  }
}

std::string_view ExpandNickname(std::string_view word) {
  const std::string name = Lower(word);
  if (name == "@reboot") {
    Refuse("schedule \"@reboot\" is not supported", "For a backup at each server start set mfi.backup_on_start = on.");
  }
  for (const Nickname& nickname : kNicknames) {
    if (nickname.name == name) return nickname.text;
  }
  Refuse("unknown schedule " + Quoted(word));
}

template <std::size_t N>
void Fill(std::bitset<N>& set, const std::vector<int>& values) {
  for (int value : values) set.set(static_cast<std::size_t>(value) % N);
}

gregorian::date DateOf(std::int64_t day) { return gregorian::date(1970, 1, 1) + gregorian::days(day); }

std::int64_t DayOf(const gregorian::date& date) { return (date - gregorian::date(1970, 1, 1)).days(); }

std::int64_t DayOf(LocalMinute minute) {
  return (minute >= 0 ? minute : minute - (kMinutesPerDay - 1)) / kMinutesPerDay;
}

}  // namespace

Cron Cron::Parse(std::string_view text) {
  RefuseUnreadable(text);
  std::vector<std::string_view> words = Words(text);
  if (words.empty()) Refuse("schedule is empty");
  if (words[0].starts_with('@') && words.size() == 1) words = Words(ExpandNickname(words[0]));
  if (words.size() != kFields.size()) {
    Refuse("schedule " + Quoted(text) + " has " + std::to_string(words.size()) +
           (words.size() == 1 ? " field" : " fields") + " instead of five");
  }
  std::array<std::vector<int>, kFields.size()> values;
  for (std::size_t i = 0; i < kFields.size(); ++i) values[i] = FieldParser(kFields[i], words[i], text).Parse();

  Cron cron;
  Fill(cron.minutes_, values[0]);
  Fill(cron.hours_, values[1]);
  Fill(cron.days_of_month_, values[2]);
  Fill(cron.months_, values[3]);
  Fill(cron.days_of_week_, values[4]);
  cron.any_day_field_suffices_ = !words[2].starts_with('*') && !words[4].starts_with('*');
  cron.hour_or_minute_wildcard_ = words[0].starts_with('*') || words[1].starts_with('*');
  if (!cron.CanFire()) {
    Refuse("schedule " + Quoted(text) + " can never fire: none of its months has day-of-month " + Quoted(words[2]));
  }
  return cron;
}

bool Cron::CanFire() const {
  constexpr std::array<int, 13> kLongest = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (any_day_field_suffices_) return true;
  for (std::size_t month = 1; month < kLongest.size(); ++month) {
    for (int day = 1; months_[month] && day <= kLongest[month]; ++day) {
      if (days_of_month_[static_cast<std::size_t>(day)]) return true;
    }
  }
  return false;
}

bool Cron::MatchesDay(int day_of_month, int day_of_week) const {
  const bool by_date = days_of_month_[static_cast<std::size_t>(day_of_month)];
  const bool by_weekday = days_of_week_[static_cast<std::size_t>(day_of_week)];
  return any_day_field_suffices_ ? by_date || by_weekday : by_date && by_weekday;
}

std::optional<int> Cron::FirstMinuteOfDay(int from) const {
  for (int minute = from; minute < kMinutesPerDay; ++minute) {
    if (!hours_[static_cast<std::size_t>(minute / 60)]) {
      minute = minute / 60 * 60 + 59;
    } else if (minutes_[static_cast<std::size_t>(minute % 60)]) {
      return minute;
    }
  }
  return std::nullopt;
}

std::optional<int> Cron::LastMinuteOfDay(int to) const {
  for (int minute = to; minute >= 0; --minute) {
    if (!hours_[static_cast<std::size_t>(minute / 60)]) {
      minute = minute / 60 * 60;
    } else if (minutes_[static_cast<std::size_t>(minute % 60)]) {
      return minute;
    }
  }
  return std::nullopt;
}

std::optional<LocalMinute> Cron::FirstMatch(LocalMinute from, LocalMinute to) const {
  while (from <= to) {
    const std::int64_t day = DayOf(from);
    const gregorian::date date = DateOf(day);
    std::int64_t next_day = day + 1;
    if (!months_[date.month()]) {
      next_day = DayOf(date.end_of_month()) + 1;
    } else if (MatchesDay(date.day(), date.day_of_week())) {
      const std::optional<int> minute = FirstMinuteOfDay(static_cast<int>(from - day * kMinutesPerDay));
      if (minute) {
        const LocalMinute match = day * kMinutesPerDay + *minute;
        return match <= to ? std::optional(match) : std::nullopt;
      }
    }
    from = next_day * kMinutesPerDay;
  }
  return std::nullopt;
}

std::optional<LocalMinute> Cron::LastMatch(LocalMinute from, LocalMinute to) const {
  while (from <= to) {
    const std::int64_t day = DayOf(to);
    const gregorian::date date = DateOf(day);
    std::int64_t first_day_passed = day;
    if (!months_[date.month()]) {
      first_day_passed = day - date.day() + 1;
    } else if (MatchesDay(date.day(), date.day_of_week())) {
      const std::optional<int> minute = LastMinuteOfDay(static_cast<int>(to - day * kMinutesPerDay));
      if (minute) {
        const LocalMinute match = day * kMinutesPerDay + *minute;
        return match >= from ? std::optional(match) : std::nullopt;
      }
    }
    to = first_day_passed * kMinutesPerDay - 1;
  }
  return std::nullopt;
}

}  // namespace mfi::core
