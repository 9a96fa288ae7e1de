#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// What gives values their meaning, or lets a definition find something, and can do no harm in whatever session it is
/// set: time zone, formats of dates and money, and the like.
inline constexpr std::string_view kMeaningful[] = {"TimeZone",     "timezone_abbreviations",
                                                   "DateStyle",    "IntervalStyle",
                                                   "lc_monetary",  "lc_numeric",
                                                   "lc_time",      "extra_float_digits",
                                                   "bytea_output", "default_text_search_config",
                                                   "xmlbinary",    "icu_validation_level"};

/// One that PL/pgSQL reserves for superusers, though it only decides what a name in a function means.
inline constexpr char kPlpgsqlConflict[] = "plpgsql.variable_conflict";

/// A setting of a session.
struct SessionSetting {
  std::string name;
  std::string value;
};

/// Of `name=value` texts from a manifest, which anybody can have written, those that a restore takes: meaningful ones,
/// and names with a dot, which are data of the database. What mfi or one of `defined` (a server's own names with a dot)
/// calls its own is left out, as is all that does not fit into the packet in which they are sent. Meaningful ones come
/// first.
std::vector<SessionSetting> SettingsToTake(const std::vector<std::string>& texts,
                                           const std::vector<std::string>& defined);

/// As libpq's `options` takes them: ` -c name=value ...`.
std::string AsOptions(const std::vector<SessionSetting>& settings);

}  // namespace mfi::core
