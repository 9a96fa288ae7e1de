#include "command/restore/restore_server.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/sql_text.h"
#include "core/restore/database_sql.h"

namespace mfi::command {
namespace {

using core::Error;
using core::QuoteIdentifier;
using core::SqlLiteral;
using os::SessionKind;

constexpr std::chrono::seconds kConnectLimit{30};
constexpr std::chrono::milliseconds kLookAgain{200};
constexpr std::size_t kLongestName = 63;
constexpr int kNewestSettings = 17;  // the first version with all settings that a Session makes

constexpr char kNumber[] = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000";

// An extension that every database has is older than any object of a user.
constexpr char kObjects[] =
    "SELECT (SELECT count(*) FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f', "
    "'c')) "
    "+ (SELECT count(*) FROM pg_catalog.pg_proc WHERE oid >= 16384) "
    "+ (SELECT count(*) FROM pg_catalog.pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_') "
    "+ (SELECT count(*) FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype <> 'c') "
    "+ (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata)";

std::string Ascii(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '_');
  return name;
}

}  // namespace

std::string WithSuffix(std::string name, const std::string& suffix) {
  while (name.size() + suffix.size() > kLongestName) {
    while (name.size() > 1 && (static_cast<unsigned char>(name.back()) & 0xC0U) == 0x80U) name.pop_back();
    name.pop_back();
  }
  return name + suffix;
}

RestoreServer::RestoreServer(os::Waiter& waiter, std::string database)
    : waiter_(waiter), database_(std::move(database)) {
  // A setting that the server does not know yet would refuse the session.
  major_ = kNewestSettings;
  try {
    admin_ = Open(SessionKind::kSuperuserOnOthersData, database_);
  } catch (const core::Stop&) {
    throw;
  } catch (const Error& first) {
    major_ = 0;
    try {
      admin_ = Open(SessionKind::kSuperuserOnOthersData, database_);
    } catch (const core::Stop&) {
      throw;
    } catch (const Error&) {
      throw Error(first.sqlstate(),
                  std::string("no session of a superuser on the server: ") + first.what() + "; nothing was restored",
                  {},
                  "It is reached as by psql: PGHOST, PGPORT and PGUSER say where and who, PGPASSFILE has passwords.");
    }
  }
  where_ = admin_->Server() + " ";
  major_ = std::atoi(admin_->Value(kNumber).c_str());  // NOLINT(cert-err34-c): the server's number
}

os::Session RestoreServer::SessionFor(SessionKind kind, const std::string& database, const std::string& more) const {
  return {kind, where_ + "dbname=" + core::ConninfoValue(database), "mfi restore", major_, more};
}

std::unique_ptr<os::Connection> RestoreServer::Open(SessionKind kind, const std::string& database) const {
  auto connection = std::make_unique<os::Connection>(SessionFor(kind, database), waiter_, kConnectLimit);
  // Whoever interrupts this program ends what it has asked for, too.
  connection->Execute("SET client_connection_check_interval = '1s'");
  return connection;
}

std::vector<core::SessionSetting> RestoreServer::OtherSettings(const core::Manifest& manifest,
                                                               const std::string& database) {
  std::vector<std::string> defined;
  for (const os::Row& row : admin_->Query("SELECT name FROM pg_catalog.pg_settings WHERE name LIKE '%.%'")) {
    defined.push_back(row[0].value_or(""));
  }
  std::vector<core::SessionSetting> settings = core::SettingsToTake(manifest.session_settings, defined);
  const std::unique_ptr<os::Connection> session = Open(SessionKind::kSettingsOfSuperuser, database);
  std::erase_if(settings, [&](const core::SessionSetting& setting) {
    const std::string name = SqlLiteral(setting.name);
    const std::string value = SqlLiteral(setting.value);
    try {
      return session->Value("SELECT pg_catalog.current_setting(" + name + ", true) IS NOT DISTINCT FROM " +
                            "pg_catalog.set_config(" + name + ", " + value + ", true)") == "t";
    } catch (const os::ServerError&) {
      return true;  // a locale that is not there, for one
    }
  });
  return settings;
}

bool RestoreServer::Exists(const std::string& database) {
  return !admin_->Query("SELECT FROM pg_catalog.pg_database WHERE datname = " + SqlLiteral(database)).empty();
}

bool RestoreServer::IsEmpty(const std::string& database) const {
  return Open(SessionKind::kSuperuserOnOthersData, database)->Value(kObjects) == "0";
}

/// Names of roles are bytes in the encoding of the databases that they are of: in a session of the new one, which has
/// the source's, they are those that the archive means.
void RestoreServer::SetProperties(const core::DatabaseProperties& source, const std::string& name) const {
  const std::unique_ptr<os::Connection> session = Open(SessionKind::kSuperuserOnOthersData, name);
  session->Execute("ALTER DATABASE " + QuoteIdentifier(name) + " OWNER TO " + QuoteIdentifier(source.owner));
  for (const auto& statements : {core::SettingStatements, core::PrivilegeStatements, core::AttributeStatements}) {
    for (const std::string& statement : statements(source, name)) session->Execute(statement);
  }
}

std::vector<std::string> RestoreServer::Tablespaces() {
  std::vector<std::string> names;
  for (const os::Row& row : admin_->Query("SELECT spcname FROM pg_catalog.pg_tablespace")) {
    names.push_back(row[0].value_or(""));
  }
  return names;
}

void RestoreServer::Create(const core::DatabaseProperties& source, const std::string& name,
                           const std::string& tablespace) {
  // The database's own name is in the encoding of this program, so that the two cannot be in one statement.
  const std::string first = source.encoding == "UTF8" ? name : Ascii(name);
  admin_->Execute(CreateDatabaseStatement(source, first, {}, tablespace));
  try {
    SetProperties(source, first);
    if (first != name) {
      admin_->Execute("ALTER DATABASE " + QuoteIdentifier(first) + " RENAME TO " + QuoteIdentifier(name));
    }
  } catch (const core::Stop&) {
    throw;
  } catch (const Error&) {
    Drop(first);
    throw;
  }
}

std::string RestoreServer::Label(const core::SecurityLabel& label, const std::string& name) {
  try {
    admin_->Execute(LabelStatement(label, name));
    return {};
  } catch (const os::ServerError& error) {
    return error.what();
  }
}

void RestoreServer::MakeTemplate(const core::DatabaseProperties& source, const std::string& name) {
  for (const std::string& statement : TemplateStatements(source, name)) admin_->Execute(statement);
}

bool RestoreServer::IsTemplate(const std::string& database) {
  return !admin_->Query("SELECT FROM pg_catalog.pg_database WHERE datistemplate AND datname = " + SqlLiteral(database))
              .empty();
}

void RestoreServer::Drop(const std::string& name) { admin_->Execute("DROP DATABASE " + QuoteIdentifier(name)); }

void RestoreServer::Swap(const std::string& replaced, const std::string& aside, const std::string& restored) {
  const std::unique_ptr<os::Connection> other = Open(SessionKind::kSuperuserOnOthersData, database_);
  const std::string end_sessions =
      "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname IN (" +
      SqlLiteral(replaced) + ", " + SqlLiteral(restored) + ") AND pid <> pg_catalog.pg_backend_pid()";
  admin_->Execute("BEGIN");
  for (const auto& [from, to] : {std::pair(replaced, aside), std::pair(restored, replaced)}) {
    // The rename lets no new session in, and waits for those there are.
    admin_->Send("ALTER DATABASE " + QuoteIdentifier(from) + " RENAME TO " + QuoteIdentifier(to));
    do {
      other->Execute(end_sessions);
    } while (!admin_->Ready(std::chrono::steady_clock::now() + kLookAgain));
    admin_->Take();
  }
  admin_->Execute("COMMIT");
}

}  // namespace mfi::command
