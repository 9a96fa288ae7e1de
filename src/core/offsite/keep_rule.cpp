#include "core/offsite/keep_rule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base/error.h"

namespace mfi::core {
namespace {

constexpr int kMost = 9999;
constexpr std::array<std::pair<char, const char*>, 5> kOptions = {
    {{'h', "hourly"}, {'d', "daily"}, {'w', "weekly"}, {'m', "monthly"}, {'y', "yearly"}}};

[[noreturn]] void Refuse(std::string_view part) {
  throw Error(
      sqlstate::kInvalidParameterValue, "\"" + std::string(part) + "\" does not say how many copies are kept", {},
      "Such as 7d 5w 12m: the newest copy of each of the last 7 days, 5 weeks and 12 months; units are h, d, w, "
      "m and y, each at most once.");
}

KeptPeriods ParsePart(std::string_view part) {
  KeptPeriods periods{.unit = part.back()};
  const std::string_view digits = part.substr(0, part.size() - 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), periods.count);
  const bool known =
      std::any_of(kOptions.begin(), kOptions.end(), [&](const auto& option) { return option.first == periods.unit; });
  if (!known || error != std::errc() || end != digits.data() + digits.size()) Refuse(part);
  if (periods.count < 1 || periods.count > kMost) Refuse(part);
  return periods;
}

}  // namespace

std::vector<KeptPeriods> ParseKeepRule(std::string_view text) {
  std::vector<KeptPeriods> rule;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return rule;
    text.remove_prefix(begin);
    const std::string_view part = text.substr(0, text.find(' '));
    text.remove_prefix(part.size());
    const KeptPeriods periods = ParsePart(part);
    const bool twice = std::any_of(rule.begin(), rule.end(), [&](const auto& p) { return p.unit == periods.unit; });
    if (twice) Refuse(part);
    rule.push_back(periods);
  }
}

std::vector<std::string> KeepOptions(const std::vector<KeptPeriods>& rule) {
  std::vector<std::string> options;
  for (const KeptPeriods& periods : rule) {
    const auto* option =
        std::find_if(kOptions.begin(), kOptions.end(), [&](const auto& o) { return o.first == periods.unit; });
    options.push_back(std::string("--keep-") + option->second + "=" + std::to_string(periods.count));
  }
  return options;
}

}  // namespace mfi::core
