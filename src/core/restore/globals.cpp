#include "core/restore/globals.h"

#include <algorithm>

#include "core/base/sql_text.h"

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

/// ALTER ROLE name WITH attributes
bool AltersRole(const std::vector<SqlToken>& t) {
  return t.size() >= 4 && IsWord(t[0], "alter") && IsWord(t[1], "role") && IsName(t[2]) && IsWord(t[3], "with");
}

bool HasWord(const std::vector<SqlToken>& t, std::string_view word) {
  return std::any_of(t.begin() + 4, t.end(), [&](const SqlToken& token) { return IsWord(token, word); });
}

/// Of GRANT role TO member WITH ADMIN OPTION, INHERIT FALSE, ...: those that decide what the member may do.
std::string OptionsOf(const std::vector<SqlToken>& t) {
  std::string options;
  for (std::size_t i = 5; i + 1 < t.size() && IsWord(t[4], "with"); ++i) {
    for (const std::string_view name : {"inherit", "set"}) {
      const bool off = IsWord(t[i + 1], "false");
      const bool on = IsWord(t[i + 1], "true") || IsWord(t[i + 1], "option");
      if (!IsWord(t[i], name) || (!off && !on)) continue;
      if (!options.empty()) options += ", ";
      options.append(name).append(off ? " false" : " true");
    }
  }
  return options;
}

bool IsServers(const std::string& name) { return name.rfind("pg_", 0) == 0; }

}  // namespace

GlobalRoles ParseGlobalRoles(std::string_view globals) {
  GlobalRoles roles;
  for (const SqlStatement& statement : SplitStatements(globals)) {
    const std::vector<SqlToken> tokens = SplitTokens(statement.text);
    if (CreatesRole(tokens)) roles.names.push_back(tokens[2].text);
    if (GrantsRole(tokens)) roles.memberships.push_back({tokens[1].text, tokens[3].text, OptionsOf(tokens)});
    if (AltersRole(tokens) && HasWord(tokens, "bypassrls")) roles.bypass_rls.insert(tokens[2].text);
    if (AltersRole(tokens) && HasWord(tokens, "noinherit")) roles.no_inherit.insert(tokens[2].text);
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
