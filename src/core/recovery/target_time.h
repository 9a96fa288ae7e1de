#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mfi::core {

/// A moment that somebody wants to recover to, in microseconds since 1970: `2026-11-24 13:04:30+02`, `…T11:04:30.25Z`.
/// Throws Error(22023) for any other text, and for one without the offset from UTC: what that leaves open may be an
/// hour of rows.
std::int64_t ParseTargetTime(std::string_view text);

/// `2026-11-24 11:04:30.25+00`, as PostgreSQL reads it; fractions only where there are some.
std::string FormatTargetTime(std::int64_t micros);

}  // namespace mfi::core
