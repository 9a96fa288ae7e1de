#include "zoneinfo.h"

#include <algorithm>
#include <boost/date_time/posix_time/posix_time.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

namespace mfi::test {

namespace {

using core::UtcSeconds;

constexpr int kLastYear = 2120;

/// Reads big-endian numbers one after the other.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view Take(std::size_t count) {
    if (count > bytes_.size()) throw std::runtime_error("zone file is too short");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  std::int64_t Number(std::size_t size) {
    std::uint64_t value = 0;
    for (char byte : Take(size)) value = value << 8 | static_cast<unsigned char>(byte);
    return size == 8 ? static_cast<std::int64_t>(value) : static_cast<std::int32_t>(value);
  }

 private:
  std::string_view bytes_;
};

struct Header {
  char version;
  std::size_t ut_indicators, standard_indicators, leaps, times, types, characters;

  std::size_t BodySize(std::size_t time_size) const {
    return times * (time_size + 1) + types * 6 + characters + leaps * (time_size + 4) + standard_indicators +
           ut_indicators;
  }
};

Header ReadHeader(Reader& reader) {
  if (reader.Take(4) != "TZif") throw std::runtime_error("not a zone file");
  Header header{};
  header.version = reader.Take(16)[0];
  for (std::size_t* count : {&header.ut_indicators, &header.standard_indicators, &header.leaps, &header.times,
                             &header.types, &header.characters}) {
    *count = static_cast<std::size_t>(reader.Number(4));
  }
  return header;
}

/// One `M3.2.0/2`, `J60` or `59` of a POSIX rule.
struct YearlyRule {
  char kind;
  int month, week, day;
  int time;

  UtcSeconds LocalSecond(int year) const {
    using namespace std::chrono;
    const sys_days january{std::chrono::year(year) / 1 / 1};
    sys_days date = january + days(kind == 'J' ? day - 1 : day);
    if (kind == 'J' && std::chrono::year(year).is_leap() && day >= 60) date += days(1);
    if (kind == 'M') {
      const year_month month_of{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month))};
      const weekday on(static_cast<unsigned>(day));
      date = week == 5 ? sys_days(month_of / on[last]) : sys_days(month_of / on[static_cast<unsigned>(week)]);
    }
    return date.time_since_epoch().count() * core::kDay + time;
  }
};

/// Parses the POSIX text in a zone file's footer.
class FooterParser {
 public:
  explicit FooterParser(std::string_view text) : text_(text) {}

  /// Appends the transitions of the years `first` to kLastYear that come after `after`.
  void Unroll(int first, UtcSeconds after, std::vector<TransitionZone::Transition>& out) {
    SkipName();
    const int standard = -Time();
    if (text_.empty()) return;
    SkipName();
    const int summer = Peek() == ',' ? standard + 3600 : -Time();
    const YearlyRule begin = Rule();
    const YearlyRule end = Rule();
    std::vector<TransitionZone::Transition> unrolled;
    for (int year = first; year <= kLastYear; ++year) {
      unrolled.push_back({begin.LocalSecond(year) - standard, summer});
      unrolled.push_back({end.LocalSecond(year) - summer, standard});
    }
    std::sort(unrolled.begin(), unrolled.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    for (const TransitionZone::Transition& transition : unrolled) {
      if (transition.at > after) out.push_back(transition);
    }
  }

 private:
  char Peek() const { return text_.empty() ? '\0' : text_.front(); }

  bool Eat(char expected) {
    if (Peek() != expected) return false;
    text_.remove_prefix(1);
    return true;
  }

  void SkipName() {
    const bool quoted = Eat('<');
    const auto is_name = [&](char c) { return quoted ? c != '>' : std::isalpha(static_cast<unsigned char>(c)) != 0; };
    while (!text_.empty() && is_name(text_.front())) text_.remove_prefix(1);
    Eat('>');
  }

  int Number() {
    int value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc()) throw std::runtime_error("bad zone footer");
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }

  int Time() {
    Eat('+');
    const int sign = Eat('-') ? -1 : 1;
    int seconds = Number() * 3600;
    if (Eat(':')) seconds += Number() * 60;
    if (Eat(':')) seconds += Number();
    return sign * seconds;
  }

  YearlyRule Rule() {
    Eat(',');
    YearlyRule rule{Eat('M') ? 'M' : Eat('J') ? 'J' : '0', 0, 0, 0, 2 * 3600};
    if (rule.kind == 'M') {
      rule.month = Number();
      Eat('.');
      rule.week = Number();
      Eat('.');
    }
    rule.day = Number();
    if (Eat('/')) rule.time = Time();
    return rule;
  }

  std::string_view text_;
};

std::filesystem::path ZoneDirectory() {
  const char* configured = std::getenv("TZDIR");
  return configured != nullptr ? configured : "/usr/share/zoneinfo";
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string() + ": install tzdata or set TZDIR");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int TransitionZone::OffsetAt(UtcSeconds at) const {
  const auto next = std::upper_bound(transitions_.begin(), transitions_.end(), at,
                                     [](UtcSeconds t, const Transition& transition) { return t < transition.at; });
  return next == transitions_.begin() ? first_offset_ : std::prev(next)->offset;
}

std::optional<UtcSeconds> TransitionZone::NextTransition(UtcSeconds at) const {
  const auto next = std::upper_bound(transitions_.begin(), transitions_.end(), at,
                                     [](UtcSeconds t, const Transition& transition) { return t < transition.at; });
  if (next == transitions_.end()) return std::nullopt;
  return next->at;
}

TransitionZone ParseZoneInfo(std::string_view bytes) {
  Reader reader(bytes);
  const Header old = ReadHeader(reader);
  if (old.version < '2') throw std::runtime_error("zone file of version 1");
  reader.Take(old.BodySize(4));
  const Header header = ReadHeader(reader);
  std::vector<UtcSeconds> times;
  for (std::size_t i = 0; i < header.times; ++i) times.push_back(reader.Number(8));
  const std::string_view type_of = reader.Take(header.times);
  std::vector<int> offsets;
  for (std::size_t i = 0; i < header.types; ++i) {
    offsets.push_back(static_cast<int>(reader.Number(4)));
    reader.Take(2);
  }
  reader.Take(header.BodySize(8) - header.times * 9 - header.types * 6);

  std::vector<TransitionZone::Transition> transitions;
  for (std::size_t i = 0; i < header.times; ++i) {
    transitions.push_back({times[i], offsets.at(static_cast<unsigned char>(type_of[i]))});
  }
  const std::size_t footer_begin = bytes.rfind('\n', bytes.size() - 2) + 1;
  const std::string_view footer = bytes.substr(footer_begin, bytes.size() - 1 - footer_begin);
  const UtcSeconds last = times.empty() ? Utc("1900-01-01 00:00:00") : times.back();
  const int last_year = static_cast<int>(1970 + last / (366 * core::kDay));
  if (!footer.empty()) FooterParser(footer).Unroll(last_year, last, transitions);
  return TransitionZone(offsets.at(0), std::move(transitions));
}

TransitionZone LoadZone(const std::string& name) { return ParseZoneInfo(ReadFile(ZoneDirectory() / name)); }

std::vector<NamedZone> LoadAllZones() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ZoneDirectory())) {
    const std::string first_folder = *entry.path().lexically_relative(ZoneDirectory()).begin();
    if (entry.is_regular_file() && first_folder != "posix" && first_folder != "right") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::set<std::string> contents;
  std::vector<NamedZone> zones;
  for (const std::filesystem::path& file : files) {
    const std::string bytes = ReadFile(file);
    if (!bytes.starts_with("TZif") || !contents.insert(bytes).second) continue;
    zones.push_back({file.lexically_relative(ZoneDirectory()).string(), ParseZoneInfo(bytes)});
  }
  return zones;
}

UtcSeconds Utc(const std::string& text) {
  const boost::posix_time::ptime epoch(boost::gregorian::date(1970, 1, 1));
  return (boost::posix_time::time_from_string(text) - epoch).total_seconds();
}

}  // namespace mfi::test
