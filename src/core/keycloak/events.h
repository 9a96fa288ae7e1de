#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/keycloak/page.h"

namespace mfi::core {

// Of times only those count that an event can have, milliseconds since 1970: another one is of a malformed event, which
// keeps no other out.

/// Whether the events of a page may come newest first.
bool ComeNewestFirst(const Page& page);

/// The time of the oldest event; nullopt when none has one.
std::optional<std::int64_t> OldestTime(const Page& page);

/// The id of the realm of the first event that names one; "" when none does.
std::string RealmOf(const Page& page);

/// The events `first` to `first + count`, counted from the last one, which is the oldest, as one JSON array.
std::string OldestFirst(const std::vector<std::string>& events, std::size_t first, std::size_t count);

/// What the import of one array says.
struct ImportReport {
  std::int64_t inserted = 0;
  std::int64_t known = 0;
  std::int64_t malformed = 0;
  std::vector<std::string> lines;  // one of each malformed event, fit for a terminal
};

/// Reads the answer of mfi_import_auth_events or mfi_import_admin_events to `events`. Throws Error(XX001) when it is
/// none.
ImportReport ReadImportReport(std::string_view answer, std::string_view events);

}  // namespace mfi::core
