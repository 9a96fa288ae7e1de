#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/lsn.h"

namespace mfi::core {

/// A commit as pg_waldump prints it.
struct DumpedCommit {
  Lsn record = 0;           // where it begins
  std::int64_t micros = 0;  // its time, since 1970

  friend bool operator==(const DumpedCommit&, const DumpedCommit&) = default;
};

/// The commits in what pg_waldump printed in English and in UTC, in its order; other lines are passed over.
std::vector<DumpedCommit> CommitsIn(std::string_view printed);

/// Where each record begins that it printed.
std::vector<Lsn> RecordsIn(std::string_view printed);

/// The transactions that were committed, each with its subtransactions.
std::map<std::uint32_t, std::vector<std::uint32_t>> SubtransactionsIn(std::string_view printed);

}  // namespace mfi::core
