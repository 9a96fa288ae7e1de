#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace mfi::core {

/// `2026-11-22T02:00:00Z`, the form used in records and manifests.
std::string FormatIso(UtcSeconds at);

/// `20261122T020000Z`, the form used in names of sets.
std::string FormatCompact(UtcSeconds at);

/// Reads either form; nullopt when the text is neither.
std::optional<UtcSeconds> ParseTimestamp(std::string_view text);

/// A length of time as a person says it: `12 s`, `5 min`, `26 h`, `9 days`.
std::string FormatDuration(std::int64_t seconds);

/// A size as a person says it: `0 bytes`, `16 MB`, `1.5 GB` (1 MB = 1024 * 1024 bytes).
std::string FormatBytes(std::int64_t bytes);

}  // namespace mfi::core
