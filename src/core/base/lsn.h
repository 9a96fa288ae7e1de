#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mfi::core {

/// A position in the WAL; 0 is "unknown".
using Lsn = std::uint64_t;

/// `16/B374D848`.
std::string FormatLsn(Lsn lsn);

/// Reads that form; nullopt for any other text.
std::optional<Lsn> ParseLsn(std::string_view text);

}  // namespace mfi::core
