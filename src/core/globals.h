#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// The CREATE ROLE statements of a globals.sql (pg_dumpall --globals-only), without the one of `superuser`: what a
/// scratch server needs so that owners and grantees of a restored database exist. Nothing else of the file is wanted
/// there: passwords, settings of roles and tablespaces belong to production.
std::vector<std::string> RoleStatements(std::string_view globals, const std::string& superuser);

}  // namespace mfi::core
