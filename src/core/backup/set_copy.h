#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"

namespace mfi::core {

/// A copy of a set in a repository elsewhere.
struct SetCopy {
  std::string repository;  // the id that the repository has given itself
  std::string snapshot;
  UtcSeconds at = 0;                    // when it was made
  std::optional<UtcSeconds> proven_at;  // when it was fetched and proven by a restore
  bool forgotten = false;               // retention there has let it go

  friend bool operator==(const SetCopy&, const SetCopy&) = default;
};

/// The one in this repository; null when there is none.
const SetCopy* CopyIn(const std::vector<SetCopy>& copies, const std::string& repository);

}  // namespace mfi::core
