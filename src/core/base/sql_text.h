#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// A piece of SQL as the server's own scanner would cut it.
struct SqlToken {
  enum class Kind { kWord, kQuotedName, kString, kOther };
  Kind kind = Kind::kOther;
  std::string text;       // a word in lower case, a quoted name or string without its quotes, else one character
  std::size_t begin = 0;  // where it begins in the statement
};

/// One statement of a script that pg_dump, pg_dumpall or pg_restore wrote.
struct SqlStatement {
  std::string text;  // without the semicolon, and without comments before it
  std::uint32_t toc_entry =
      0;  // of the last comment "-- TOC entry N ..." before it, as pg_restore --verbose writes them
};

/// Splits at semicolons outside of quotes and comments. Commands of psql, which begin with a backslash, are left out.
std::vector<SqlStatement> SplitStatements(std::string_view script);

std::vector<SqlToken> SplitTokens(std::string_view statement);

bool HasComment(std::string_view statement);

/// Whether the token is this word of SQL, given in lower case; a quoted name is none.
bool IsWord(const SqlToken& token, std::string_view word);

/// The name, in double quotes.
std::string QuoteIdentifier(std::string_view name);

}  // namespace mfi::core
