#pragma once

#include <string>
#include <string_view>

#include "core/time.h"

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

/// What one of PostgreSQL's programs said of its failure, cut likewise: its first error, with the two lines before it,
/// which tell what it was at; what follows may quote a long query or be a mere consequence. The last lines when there
/// is no error.
std::string ProgramError(std::string_view text, int lines, std::size_t bytes);

}  // namespace mfi::core
