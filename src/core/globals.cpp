#include "core/globals.h"

namespace mfi::core {
namespace {

constexpr std::string_view kCreateRole = "CREATE ROLE ";

/// Splits at semicolons outside quotes; statements come without the semicolon and leading space. Comments, and psql
/// commands such as the \restrict of newer pg_dumpall, end with their line and are left out.
std::vector<std::string> Statements(std::string_view sql) {
  std::vector<std::string> statements;
  std::string current;
  char quote = '\0';
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    const bool comment = c == '-' && i + 1 < sql.size() && sql[i + 1] == '-';
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (quote != '\0') {
      current += c;
      if (c == quote) quote = '\0';
    } else if (comment || (c == '\\' && current.empty())) {
      while (i < sql.size() && sql[i] != '\n') ++i;
    } else if (c == ';') {
      statements.push_back(current);
      current.clear();
    } else if (!current.empty() || !space) {
      if (c == '\'' || c == '"') quote = c;
      current += c;
    }
  }
  return statements;
}

/// An identifier as pg_dumpall writes it: quoted unless it is plain.
bool Names(std::string_view identifier, const std::string& role) {
  if (identifier == role) return true;
  std::string quoted = "\"";
  for (const char c : role) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return identifier == quoted + "\"";
}

}  // namespace

std::vector<std::string> RoleStatements(std::string_view globals, const std::string& superuser) {
  std::vector<std::string> roles;
  for (std::string& statement : Statements(globals)) {
    if (statement.rfind(kCreateRole, 0) != 0) continue;
    if (Names(std::string_view(statement).substr(kCreateRole.size()), superuser)) continue;
    roles.push_back(std::move(statement));
  }
  return roles;
}

}  // namespace mfi::core
