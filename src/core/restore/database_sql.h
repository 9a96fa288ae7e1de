#pragma once

#include <string>
#include <vector>

#include "core/backup/manifest.h"

// The statements that give a new database the properties of the one a set was taken of. Each is one statement, for a
// superuser's session with standard_conforming_strings on.
namespace mfi::core {

/// CREATE DATABASE with all that cannot be changed later. `owner` may be another role than the source's; empty: whoever
/// runs it. `tablespace` is one that is there, or empty: that of every new database.
std::string CreateDatabaseStatement(const DatabaseProperties& source, const std::string& name, const std::string& owner,
                                    const std::string& tablespace = {});

/// ALTER DATABASE ... SET and ALTER ROLE ... IN DATABASE ... SET. They give values their meaning, so they come before
/// anything is restored. The roles must exist.
std::vector<std::string> SettingStatements(const DatabaseProperties& source, const std::string& name);

/// Exactly the privileges of the source, none of them when it has none; nothing for those that every database has. The
/// database belongs to the source's owner by now, and the roles exist. Some run with the session authorization of a
/// role that has granted; who stops in between must RESET it.
std::vector<std::string> PrivilegeStatements(const DatabaseProperties& source, const std::string& name);

/// CONNECTION LIMIT and the comment.
std::vector<std::string> AttributeStatements(const DatabaseProperties& source, const std::string& name);

/// Gives a security label; its provider must be loaded.
std::string LabelStatement(const SecurityLabel& label, const std::string& name);

/// IS_TEMPLATE, which keeps a database from being dropped: when all else is done. Nothing for one that is none.
std::vector<std::string> TemplateStatements(const DatabaseProperties& source, const std::string& name);

/// One entry of an aclitem[] as its text says it.
struct AclItem {
  std::string grantee;  // empty: PUBLIC
  std::string rights;   // a letter each, `*` behind one that may be granted on
  std::string grantor;
};

/// Throws Error(kDataCorrupted) when it is none.
AclItem ParseAclItem(const std::string& text);

}  // namespace mfi::core
