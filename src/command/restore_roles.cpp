#include "command/restore_roles.h"

#include <set>

#include "core/error.h"
#include "core/names.h"
#include "core/printable.h"

namespace mfi::command {
namespace {

using core::Error;
using core::RolesPlan;

constexpr char kMayNotGrant[] = "42501";

void Run(os::Connection& connection, const RolesPlan::Statement& statement) {
  try {
    if (statement.without_grantor.empty()) return connection.Execute(statement.text);
    connection.Execute("SAVEPOINT membership");
    try {
      connection.Execute(statement.text);
    } catch (const os::ServerError& error) {
      // The set's first superuser is another role than this server's, which alone may grant everything.
      if (error.sqlstate() != kMayNotGrant) throw;
      connection.Execute("ROLLBACK TO SAVEPOINT membership");
      connection.Execute(statement.without_grantor);
    }
    connection.Execute("RELEASE SAVEPOINT membership");
  } catch (const os::ServerError& error) {
    throw Error(error.sqlstate(), core::ShownStatement(statement.text) + ": " + core::Printable(error.what()));
  }
}

}  // namespace

RolesPlan RestoreRoles(os::Connection& connection, const std::string& globals) {
  const std::string encoding = core::PlanRoles(globals, {}).encoding;
  if (!encoding.empty()) connection.Execute("SET client_encoding = " + core::SqlLiteral(encoding));
  std::set<std::string> existing;
  for (const os::Row& row : connection.Query("SELECT rolname FROM pg_catalog.pg_roles")) {
    existing.insert(row[0].value_or(""));
  }
  RolesPlan plan = core::PlanRoles(globals, existing);
  connection.Execute("BEGIN");
  for (const RolesPlan::Statement& statement : plan.statements) Run(connection, statement);
  connection.Execute("COMMIT");
  return plan;
}

}  // namespace mfi::command
