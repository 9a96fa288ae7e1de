// Any text is read for roles; no membership in a role of PostgreSQL's own is ever taken from it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/globals.h"
#include "core/sql_text.h"

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
  return 0;
}
