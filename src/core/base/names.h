#pragma once

#include <string>
#include <string_view>

#include "core/base/time.h"

namespace mfi::core {

/// A database name as a part of a file name: `/`, `%`, control characters and a leading `.` or `-` become %XX,
/// everything else stays readable. Two databases never share an encoded name.
std::string EncodeFileName(std::string_view name);

/// `<encoded database>_<YYYYMMDDTHHMMSSZ>`: the id of a run, and the name of the set it makes.
std::string RunId(std::string_view database, UtcSeconds at);

/// True when `text` can be the id of a run; such a text is safe as a single file name.
bool IsRunId(std::string_view text);

/// A value in a libpq connection string, quoted and escaped.
std::string ConninfoValue(std::string_view value);

/// A string literal in SQL (standard_conforming_strings on).
std::string SqlLiteral(std::string_view value);

/// Cuts `text` to its last `lines` lines, at most `bytes` bytes, without a trailing newline.
std::string LastLines(std::string_view text, int lines, std::size_t bytes);

/// What may be told of the failure of one of PostgreSQL's programs by what it printed: its first error, with the lines
/// right before it that say what it was at, in at most `bytes` bytes. A server's message in it can quote a row, so it
/// is replaced by a known message's pattern, or by words that say so; detail, context and statements are left out, and
/// of a text so long that its beginning may be missing, everything. The last `lines` lines when there is no error, as
/// of a program that could not be loaded.
std::string ProgramError(std::string_view text, int lines, std::size_t bytes);

}  // namespace mfi::core
