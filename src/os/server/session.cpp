#include "os/server/session.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/base/names.h"

namespace mfi::os {
namespace {

// For all: nothing that a database or a role has set ends a session early, gives it another role, or keeps it from
// writing. A standby has no serializable transactions.
constexpr std::string_view kNeutral =
    "-c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0 "
    "-c role=none -c quote_all_identifiers=off -c default_transaction_read_only=off "
    "-c default_transaction_isolation=read\\ committed -c default_transaction_deferrable=off";

// Sessions of mfi itself: no commit of theirs waits for a standby, and no library is loaded for them.
constexpr std::string_view kOwn = " -c synchronous_commit=local -c local_preload_libraries=";

// What an operator's question means, and how its answer is written.
constexpr std::string_view kOperators =
    " -c search_path=pg_catalog,pg_temp -c row_security=on -c DateStyle=ISO -c IntervalStyle=postgres "
    "-c bytea_output=hex -c standard_conforming_strings=on";

// Names mean the server's own functions and operators, and a view or foreign table in a table's place is an error.
constexpr std::string_view kOnOthersData =
    " -c search_path=pg_catalog,pg_temp -c restrict_nonsystem_relation_kind=view,foreign-table -c row_security=off "
    "-c DateStyle=ISO -c standard_conforming_strings=on";

// An archive's text means the same whatever a database has set for that of its clients. What a session is at ends soon
// after its program.
constexpr std::string_view kRestoring =
    " -c check_function_bodies=off -c array_nulls=on -c transform_null_equals=off -c exit_on_error=off "
    "-c default_tablespace= -c client_connection_check_interval=1s";
constexpr std::string_view kSafePath = " -c search_path=pg_catalog,pg_temp";

/// What the server refuses to everybody but a superuser.
constexpr std::string_view kForSuperusers = " -c lc_messages=C -c session_preload_libraries=";

std::string Options(SessionKind kind, int server_major, std::chrono::seconds limit) {
  if (kind == SessionKind::kReplication) return {};
  std::string options(kNeutral);
  options += " -c statement_timeout=" + std::to_string(limit.count()) + (limit.count() > 0 ? "s" : "");
  options.append(kind == SessionKind::kOperator ? kOperators : kOwn);
  if (server_major >= 17) options += " -c transaction_timeout=0";
  // A login event trigger would run before any other setting could be made.
  const std::string_view no_triggers = server_major >= 17 ? " -c event_triggers=off" : "";
  switch (kind) {
    case SessionKind::kSuperuserOnOthersData:
      options.append(kOnOthersData).append(kForSuperusers).append(no_triggers);
      break;
    case SessionKind::kPlainOnOthersData:
      options.append(kOnOthersData);
      break;
    case SessionKind::kSettingsOfSuperuser:
      options.append(kSafePath).append(kForSuperusers).append(no_triggers);
      break;
    case SessionKind::kSettingsOfPlain:
      options.append(kSafePath);
      break;
    case SessionKind::kRestoringSuperuser:
      options.append(kRestoring).append(" -c session_preload_libraries=").append(no_triggers);
      break;
    case SessionKind::kRestorer:
      options.append(kRestoring);
      break;
    case SessionKind::kProbe:
      options.append(kSafePath);
      break;
    case SessionKind::kOperator:
    case SessionKind::kReplication:
      break;
  }
  return options;
}

}  // namespace

Session::Session(SessionKind kind, const std::string& where, const std::string& application_name, int server_major,
                 const std::string& more, std::chrono::seconds limit)
    : conninfo_(where + " application_name=" + core::ConninfoValue(application_name) +
                " client_encoding=SQL_ASCII options=" +
                core::ConninfoValue(more + " " + Options(kind, server_major, limit))) {}

void ForgetLibpqEnvironment() {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view entry(*variable);
    if (entry.substr(0, 2) == "PG") names.emplace_back(entry.substr(0, entry.find('=')));
  }
  for (const std::string& name : names) unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
}

}  // namespace mfi::os
