#include "core/globals.h"

#include "core/sql_text.h"

namespace mfi::core {
namespace {

bool IsName(const SqlToken& token) {
  return token.kind == SqlToken::Kind::kWord || token.kind == SqlToken::Kind::kQuotedName;
}

/// CREATE ROLE name
bool CreatesRole(const std::vector<SqlToken>& t) {
  return t.size() == 3 && IsWord(t[0], "create") && IsWord(t[1], "role") && IsName(t[2]);
}

/// GRANT role TO member [WITH ...] [GRANTED BY ...]
bool GrantsRole(const std::vector<SqlToken>& t) {
  return t.size() >= 4 && IsWord(t[0], "grant") && IsName(t[1]) && IsWord(t[2], "to") && IsName(t[3]);
}

}  // namespace

GlobalRoles ParseGlobalRoles(std::string_view globals) {
  GlobalRoles roles;
  for (const SqlStatement& statement : SplitStatements(globals)) {
    const std::vector<SqlToken> tokens = SplitTokens(statement.text);
    if (CreatesRole(tokens)) roles.names.push_back(tokens[2].text);
    if (GrantsRole(tokens) && tokens[1].text.rfind("pg_", 0) != 0) {
      roles.memberships.push_back({tokens[1].text, tokens[3].text});
    }
  }
  return roles;
}

}  // namespace mfi::core
