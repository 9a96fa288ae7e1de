#pragma once

#include <chrono>
#include <string>

namespace mfi::os {

/// Whose rights a session has and what it meets. That decides its settings, which stand in its startup packet: there
/// they beat what ALTER DATABASE and ALTER ROLE have set, and nobody else can change them.
enum class SessionKind {
  kSuperuserOnOthersData,  // counts, reads catalogs, dumps: no view, rule, policy or operator of others is evaluated
  kPlainOnOthersData,      // the same without SUPERUSER, which may not set all of it
  kSettingsOfSuperuser,    // reads what databases, roles and the server set for sessions
  kSettingsOfPlain,        // the same without SUPERUSER
  kRestoringSuperuser,     // pg_restore's, for what only a superuser may make
  kRestorer,               // pg_restore's, for everything else, by a role without SUPERUSER
  kProbe,                  // asks the other node what it is
  kReplication,            // of the replication protocol, which has no settings
  kOperator,               // of the operator's program: asks mfi's functions, whoever the operator is
};

/// How one session is opened. Its texts are bytes as the database has them: not every encoding has a way to UTF-8. Only
/// a Session opens a Connection, and only its conninfo is given to PostgreSQL's programs.
class Session {
 public:
  /// `where`: host, port, user and dbname as libpq reads them. What it says of the settings below does not count.
  /// `more`: options that stand before them, as ` -c name=value`. `limit`: of each statement; 0 means none.
  Session(SessionKind kind, const std::string& where, const std::string& application_name, int server_major,
          const std::string& more = {}, std::chrono::seconds limit = {});

  const std::string& conninfo() const { return conninfo_; }

 private:
  std::string conninfo_;
};

/// Keywords of a server of our own that is reached by a socket and asks for no password: what libpq's environment says
/// is about another server. They begin with a space.
inline constexpr char kOverSocket[] =
    " hostaddr='' require_auth=none channel_binding=disable sslmode=disable gssencmode=disable "
    "target_session_attrs=any";

/// Takes every PG* variable out of this process's environment: libpq would follow them where a conninfo is silent.
void ForgetLibpqEnvironment();

}  // namespace mfi::os
