#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// What a globals.sql (pg_dumpall --globals-only) says of roles, as far as a restored database needs it: their names,
/// what decides which rows one of them sees, and who of them is a member of whom, of no other role and of none of
/// PostgreSQL's own (pg_...). Passwords, rights to log in, settings and tablespaces belong to production. Names are
/// bytes of the script.
struct GlobalRoles {
  struct Membership {
    std::string role;          // what is granted
    std::string member;        // to whom
    std::string options = {};  // as WITH takes them, such as "inherit false"; empty without
  };
  std::vector<std::string> names;
  std::set<std::string> bypass_rls;
  std::set<std::string> no_inherit;
  std::vector<Membership> memberships;
};

GlobalRoles ParseGlobalRoles(std::string_view globals);

}  // namespace mfi::core
