#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// How many copies of one period are kept: the newest one of each of the last `count` hours, days, ...
struct KeptPeriods {
  char unit = 'd';  // h | d | w | m | y
  int count = 0;

  friend bool operator==(const KeptPeriods&, const KeptPeriods&) = default;
};

/// mfi.offsite_keep: `7d 5w 12m`; empty keeps everything. Throws Error(22023).
std::vector<KeptPeriods> ParseKeepRule(std::string_view text);

/// restic's options for it: `--keep-daily=7`.
std::vector<std::string> KeepOptions(const std::vector<KeptPeriods>& rule);

}  // namespace mfi::core
