#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// What of a globals.sql (pg_dumpall --globals-only) is run on a server that has roles already. Those stay as they are:
/// their attributes, passwords, settings, comments, and who of them is a member of whom.
struct RolesPlan {
  struct Statement {
    std::string text;
    std::string without_grantor;  // of a membership, for a server where its grantor may not grant it; else empty
  };
  std::string encoding;  // of the script; empty: UTF8
  std::vector<Statement> statements;
  std::vector<std::string> made;
  std::vector<std::string> kept;
  std::vector<std::string> tablespaces;  // that the script makes, which is left to who knows the machine's disks
};

/// Throws Error(kDataCorrupted) when the script holds a statement that pg_dumpall does not write: nothing of anybody
/// else's runs.
RolesPlan PlanRoles(std::string_view globals, const std::set<std::string>& existing);

/// What may be shown of a statement about roles: its beginning, and no password.
std::string ShownStatement(const std::string& statement);

}  // namespace mfi::core
