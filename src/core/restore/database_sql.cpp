#include "core/restore/database_sql.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/sql_text.h"

namespace mfi::core {
namespace {

/// Settings whose value is a list of quoted names: PostgreSQL's GUC_LIST_QUOTE, which an extension cannot use.
constexpr std::array<std::string_view, 6> kLists = {"search_path",
                                                    "temp_tablespaces",
                                                    "local_preload_libraries",
                                                    "session_preload_libraries",
                                                    "shared_preload_libraries",
                                                    "unix_socket_directories"};

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool IsList(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return std::find(kLists.begin(), kLists.end(), name) != kLists.end();
}

/// The elements of a list as the server stores it: separated by commas, names in double quotes where they need it.
std::vector<std::string> Elements(std::string_view list) {
  std::vector<std::string> elements;
  std::size_t at = 0;
  const auto skip_spaces = [&] {
    while (at < list.size() && IsSpace(list[at])) ++at;
  };
  for (skip_spaces(); at < list.size(); skip_spaces()) {
    std::string element;
    if (list[at] == '"') {
      for (++at; at < list.size(); ++at) {
        if (list[at] == '"' && (at + 1 == list.size() || list[++at] != '"')) break;
        element += list[at];
      }
    } else {
      while (at < list.size() && list[at] != ',' && !IsSpace(list[at])) element += list[at++];
    }
    elements.push_back(element);
    while (at < list.size() && list[at] != ',') ++at;
    ++at;
  }
  return elements;
}

std::string Value(const DatabaseSetting& setting) {
  if (!IsList(setting.name)) return SqlLiteral(setting.value);
  std::string text;
  for (const std::string& element : Elements(setting.value)) {
    text += (text.empty() ? "" : ", ") + SqlLiteral(element);
  }
  return text.empty() ? SqlLiteral("") : text;
}

/// A role's name in an aclitem: in double quotes, or a word; ends before `end`.
std::string AclName(const std::string& text, std::size_t& at, char end) {
  std::string name;
  bool quoted = false;
  for (; at < text.size() && (quoted || text[at] != end); ++at) {
    if (text[at] != '"') {
      name += text[at];
    } else if (quoted && at + 1 < text.size() && text[at + 1] == '"') {
      name += text[at++];
    } else {
      quoted = !quoted;
    }
  }
  return name;
}

std::string RightName(char letter) {
  switch (letter) {
    case 'C':
      return "CREATE";
    case 'T':
      return "TEMPORARY";
    case 'c':
      return "CONNECT";
    default:
      throw Error(sqlstate::kDataCorrupted, std::string("\"") + letter + "\" is no privilege of a database");
  }
}

void Grant(const AclItem& item, const std::string& target, std::vector<std::string>& statements) {
  for (std::size_t i = 0; i < item.rights.size(); ++i) {
    const std::string right = RightName(item.rights[i]);
    const bool granted_on = i + 1 < item.rights.size() && item.rights[i + 1] == '*';
    if (granted_on) ++i;
    statements.push_back("GRANT " + right + " ON DATABASE " + target + " TO " +
                         (item.grantee.empty() ? "PUBLIC" : QuoteIdentifier(item.grantee)) +
                         (granted_on ? " WITH GRANT OPTION" : ""));
  }
}

}  // namespace

AclItem ParseAclItem(const std::string& text) {
  AclItem item;
  std::size_t at = 0;
  item.grantee = AclName(text, at, '=');
  const std::size_t slash = text.find('/', at);
  if (at >= text.size() || slash == std::string::npos || slash + 1 == text.size()) {
    throw Error(sqlstate::kDataCorrupted, "\"" + text + "\" is no entry of a list of privileges");
  }
  item.rights = text.substr(at + 1, slash - at - 1);
  at = slash + 1;
  item.grantor = AclName(text, at, '\0');
  return item;
}

std::string CreateDatabaseStatement(const DatabaseProperties& source, const std::string& name, const std::string& owner,
                                    const std::string& tablespace) {
  const std::string& provider = source.locale_provider;
  std::string sql = "CREATE DATABASE " + QuoteIdentifier(name) + " TEMPLATE template0" +
                    (owner.empty() ? "" : " OWNER " + QuoteIdentifier(owner)) + " ENCODING " +
                    SqlLiteral(source.encoding);
  if (!provider.empty()) sql += " LOCALE_PROVIDER " + QuoteIdentifier(provider);
  sql += " LC_COLLATE " + SqlLiteral(source.collate) + " LC_CTYPE " + SqlLiteral(source.ctype);
  if (provider == "icu") sql += " ICU_LOCALE " + SqlLiteral(source.locale);
  if (provider == "builtin") sql += " BUILTIN_LOCALE " + SqlLiteral(source.locale);
  if (!source.icu_rules.empty()) sql += " ICU_RULES " + SqlLiteral(source.icu_rules);
  if (!tablespace.empty()) sql += " TABLESPACE " + QuoteIdentifier(tablespace);
  return sql;
}

std::vector<std::string> SettingStatements(const DatabaseProperties& source, const std::string& name) {
  std::vector<std::string> statements;
  const std::string target = "DATABASE " + QuoteIdentifier(name);
  for (const DatabaseSetting& setting : source.settings) {
    const std::string whose = setting.role.empty() ? target : "ROLE " + QuoteIdentifier(setting.role) + " IN " + target;
    statements.push_back("ALTER " + whose + " SET " + QuoteIdentifier(setting.name) + " TO " + Value(setting));
  }
  return statements;
}

std::vector<std::string> PrivilegeStatements(const DatabaseProperties& source, const std::string& name) {
  if (!source.acl) return {};
  const std::string target = QuoteIdentifier(name);
  std::vector<std::string> statements = {"REVOKE ALL ON DATABASE " + target + " FROM PUBLIC",
                                         "REVOKE ALL ON DATABASE " + target + " FROM " + QuoteIdentifier(source.owner)};
  std::vector<AclItem> items;
  for (const std::string& text : *source.acl) items.push_back(ParseAclItem(text));
  // Others can grant only what the owner has given them.
  std::stable_partition(items.begin(), items.end(), [&](const AclItem& item) { return item.grantor == source.owner; });
  for (const AclItem& item : items) {
    const bool of_owner = item.grantor == source.owner;
    if (!of_owner) statements.push_back("SET SESSION AUTHORIZATION " + QuoteIdentifier(item.grantor));
    Grant(item, target, statements);
    if (!of_owner) statements.emplace_back("RESET SESSION AUTHORIZATION");
  }
  return statements;
}

std::vector<std::string> AttributeStatements(const DatabaseProperties& source, const std::string& name) {
  std::vector<std::string> statements;
  const std::string target = "DATABASE " + QuoteIdentifier(name);
  if (source.connection_limit != -1) {
    statements.push_back("ALTER " + target + " CONNECTION LIMIT " + std::to_string(source.connection_limit));
  }
  if (!source.comment.empty()) statements.push_back("COMMENT ON " + target + " IS " + SqlLiteral(source.comment));
  return statements;
}

std::string LabelStatement(const SecurityLabel& label, const std::string& name) {
  return "SECURITY LABEL FOR " + QuoteIdentifier(label.provider) + " ON DATABASE " + QuoteIdentifier(name) + " IS " +
         SqlLiteral(label.label);
}

std::vector<std::string> TemplateStatements(const DatabaseProperties& source, const std::string& name) {
  if (!source.is_template) return {};
  return {"ALTER DATABASE " + QuoteIdentifier(name) + " IS_TEMPLATE true"};
}

}  // namespace mfi::core
