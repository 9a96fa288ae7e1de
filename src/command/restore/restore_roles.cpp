#include "command/restore/restore_roles.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/printable.h"
#include "core/base/sql_text.h"

namespace mfi::command {
namespace {

using core::Error;
using core::RolesPlan;

constexpr char kMayNotGrant[] = "42501";
constexpr char kUsual[] = "postgres";
constexpr char kServerEncoding[] = "SELECT pg_catalog.getdatabaseencoding()";

/// A database for the time of this object, in which any byte is a character. Others refuse names that are not of their
/// encoding, or would make other ones of them.
class AnyBytes {
 public:
  explicit AnyBytes(RestoreServer& server) : server_(server), name_("mfi_roles") {
    while (server_.Exists(name_)) name_ += "_";
    server_.admin().Execute("CREATE DATABASE " + core::QuoteIdentifier(name_) +
                            " TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'");
  }
  AnyBytes(const AnyBytes&) = delete;
  AnyBytes& operator=(const AnyBytes&) = delete;
  ~AnyBytes() {
    try {
      server_.Drop(name_);
    } catch (const Error&) {
      // Stopped: what is left is empty, and its name tells whose it is.
    }
  }

  const std::string& name() const { return name_; }

 private:
  RestoreServer& server_;
  std::string name_;
};

bool IsAscii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

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

RolesPlan RestoreRoles(RestoreServer& server, const std::string& globals) {
  std::string encoding = core::PlanRoles(globals, {}).encoding;
  if (encoding.empty()) encoding = "UTF8";
  std::optional<AnyBytes> any_bytes;
  std::unique_ptr<os::Connection> opened = server.Open(os::SessionKind::kSuperuserOnOthersData, kUsual);
  if (!IsAscii(globals) && opened->Value(kServerEncoding) != encoding) {
    any_bytes.emplace(server);
    opened = server.Open(os::SessionKind::kSuperuserOnOthersData, any_bytes->name());
  }
  os::Connection& connection = *opened;
  // It would keep these statements, hashes of passwords among them, in bytes that it then refuses other databases.
  connection.Execute("SET pg_stat_statements.track = 'none'");
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
