// Any text is read for roles; no membership in a role of PostgreSQL's own is ever taken from it. What a restore would
// run of it is one statement each, about roles, and shows no password.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/sql_text.h"
#include "core/restore/globals.h"
#include "core/restore/roles_plan.h"

namespace {

void CheckPlan(std::string_view text) {
  using namespace mfi::core;
  try {
    for (const RolesPlan::Statement& statement : PlanRoles(text, {"postgres"}).statements) {
      const std::vector<SqlStatement> alone = SplitStatements(statement.text + ";");
      if (alone.size() != 1 || alone.front().text != statement.text) std::abort();
      bool about_roles = false;
      for (const char* word : {"create", "alter", "comment", "security", "grant", "revoke", "set", "reset"}) {
        about_roles = about_roles || IsWord(SplitTokens(statement.text).front(), word);
      }
      if (!about_roles) std::abort();
      ShownStatement(statement.text);
    }
  } catch (const Error& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mfi::core;
  const GlobalRoles roles = ParseGlobalRoles({reinterpret_cast<const char*>(data), size});
  for (const GlobalRoles::Membership& membership : roles.memberships) {
    if (membership.role.rfind("pg_", 0) == 0) std::abort();
  }
  // A name in quotes is one token again: nothing can follow it into a statement.
  for (const std::string& name : roles.names) {
    const std::vector<SqlToken> tokens = SplitTokens(QuoteIdentifier(name));
    if (tokens.size() != 1 || tokens.front().text != name) std::abort();
  }
  CheckPlan({reinterpret_cast<const char*>(data), size});
  return 0;
}
