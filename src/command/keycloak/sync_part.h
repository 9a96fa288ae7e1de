#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "command/keycloak/settings.h"
#include "core/base/error.h"
#include "os/base/waiter.h"
#include "os/server/connection.h"

namespace mfi::command {

/// What one part of a sync works with.
struct SyncPart {
  os::Waiter& waiter;
  const KeycloakSettings& settings;
  os::AdminApi& api;
  std::ostream& out;
  std::ostream& err;
};

/// A line of the log, with the time, and below it what to do; nothing of it may be another line.
void Say(std::ostream& err, const std::string& what, const std::string& next_step = {});

/// What the database has said, apart from the program's own lines: it may quote what Keycloak gave.
void Quote(std::ostream& err, const core::Error& error);

/// Ends a part whose error was told already.
class Told : public core::Error {
 public:
  using core::Error::Error;
};

/// Rows of one statement, in a session of its own: hours may be between two of them. What the database says of a
/// failure is told.
std::vector<os::Row> Ask(const SyncPart& part, const std::string& sql, const std::vector<std::string>& parameters);

/// "Keycloak has no such realm", for a path that every realm has.
[[noreturn]] void FailWithoutRealm(const KeycloakSettings& settings);

/// Throws Error when a page is the one before: a server or proxy that ignores "first" would answer for ever.
void CheckMovesOn(std::string& before, const std::string& body);

/// Makes the groups of the scope that is given what they are in Keycloak. `kind`: portal or mfi, or empty: the one with
/// the realm_id.
void SyncGroups(const SyncPart& part, std::string kind, std::string scope, const std::string& options);

/// One of Keycloak's logs, and where it goes.
struct EventLog {
  const char* title;
  const char* name;
  const char* path;
  const char* function;
  const char* table;
};

inline constexpr EventLog kAuthEvents{"Auth", "auth", "/events", "mfi_import_auth_events", "user_auth_logs"};
inline constexpr EventLog kAdminEvents{"Admin", "admin", "/admin-events", "mfi_import_admin_events",
                                       "admin_event_logs"};

/// Imports the events since the last time; true when none of them was malformed.
bool ImportEvents(const SyncPart& part, const EventLog& log, bool dry_run);

}  // namespace mfi::command
