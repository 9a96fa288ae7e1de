#pragma once

#include <string>
#include <string_view>

namespace mfi::core {

/// What a group sync did, for people.
struct GroupReport {
  bool refused = false;
  std::string text;  // lines, each with its end, fit for a terminal
};

/// Reads the answer of mfi_sync_portal_groups or mfi_sync_mfi_groups. Throws Error(XX001) when it is none.
GroupReport ReadGroupReport(std::string_view answer, const std::string& realm);

}  // namespace mfi::core
