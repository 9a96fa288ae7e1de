#include "core/globals.h"

#include <algorithm>

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

bool IsServers(const std::string& name) { return name.rfind("pg_", 0) == 0; }

}  // namespace

GlobalRoles ParseGlobalRoles(std::string_view globals) {
  GlobalRoles roles;
  for (const SqlStatement& statement : SplitStatements(globals)) {
    const std::vector<SqlToken> tokens = SplitTokens(statement.text);
    if (CreatesRole(tokens)) roles.names.push_back(tokens[2].text);
    if (GrantsRole(tokens)) roles.memberships.push_back({tokens[1].text, tokens[3].text});
  }
  std::erase_if(roles.names, IsServers);
  const auto is_other = [&](const std::string& name) {
    return std::find(roles.names.begin(), roles.names.end(), name) == roles.names.end();
  };
  std::erase_if(roles.memberships, [&](const GlobalRoles::Membership& membership) {
    return is_other(membership.role) || is_other(membership.member);
  });
  return roles;
}

}  // namespace mfi::core
