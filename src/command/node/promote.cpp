#include "command/node/promote.h"

#include <stdlib.h>

#include <chrono>
#include <cstdlib>
#include <memory>

#include "command/node/logged.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "os/node/replication_slot.h"
#include "os/node/upstream.h"
#include "os/server/operator_session.h"

namespace mfi::command {
namespace {

using os::Connection;
using os::Refuse;

constexpr char kName[] = "mfi promote";

/// The server itself first replays all that has arrived, but not half a record, which a look at the positions would
/// wait for.
constexpr char kPromote[] = "SELECT pg_promote(true, 3600)";

std::string Setting(Connection& server, const std::string& name) {
  return server.Value("SELECT current_setting(" + core::SqlLiteral(name) + ")");
}

std::unique_ptr<Connection> Open(os::Waiter& waiter, os::NodeLog& log) {
  try {
    return os::OpenForOperator("", kName, std::chrono::seconds{0}, waiter);
  } catch (const os::ConnectError& error) {
    log.Words(error.what());
    Refuse("this node's server cannot be asked; nothing was changed", "Start it, or set PGHOST and PGPORT.");
  }
}

void RequireStandby(Connection& server) {
  if (server.Value("SELECT pg_is_in_recovery()") != "t") {
    Refuse("this node is a primary already; nothing was changed",
           "Ask: psql -c 'SELECT * FROM mfi_replication_health'");
  }
  if (server.Value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") != "t") {
    Refuse("promoting needs a superuser; nothing was changed", "Run it as the user postgres.");
  }
  if (server.Value("SELECT pg_get_wal_replay_pause_state()") != "not paused") {
    Refuse("replay is paused on this standby; nothing was changed",
           "SELECT pg_wal_replay_resume(), then run this again.");
  }
}

/// It answers when a stream is up, when a connection of the same kind can be made, or when somebody is there who
/// refuses it or cannot be authenticated: that is not nobody.
bool OldPrimaryAnswers(Connection& server, os::Waiter& waiter, os::NodeLog& log) {
  if (server.Value("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") != "0") return true;
  const std::string upstream = Setting(server, "primary_conninfo");
  if (upstream.empty()) return false;
  try {
    os::AskUpstream(upstream, kName, waiter);
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    if (os::IsNobody(error)) return false;
    log.Say(std::string("a server answers at the old primary's address, though not as it should: ") + error.what());
  }
  return true;
}

/// No standby is left that commits could wait for.
void WaitForNoStandby(Connection& server, os::NodeLog& log) {
  const std::string names = Setting(server, "synchronous_standby_names");
  if (names.empty()) return;
  log.Say(
      "synchronous_standby_names is emptied, as no standby is left that commits could wait for; set it again after "
      "mfi rejoin: '" +
      names + "'");
  server.Execute("ALTER SYSTEM SET synchronous_standby_names = ''");
  server.Execute("SELECT pg_reload_conf()");
}

}  // namespace

void PromoteServer(const PromoteOptions& options, os::Waiter& waiter, os::NodeLog& log) {
  const std::unique_ptr<Connection> server = Open(waiter, log);
  RequireStandby(*server);
  if (OldPrimaryAnswers(*server, waiter, log)) {
    if (!options.force) {
      Refuse("the old primary still answers; nothing was changed",
             "Stop it first, and make sure that it does not start by itself: two primaries would both take writes.");
    }
    log.Say("the old primary still answers, and --force was given: stop it now");
  }
  log.Say("promoting; replayed up to " + server->Value("SELECT pg_last_wal_replay_lsn()") + ", arrived " +
          server->Value("SELECT pg_last_wal_receive_lsn()"));
  if (server->Value(kPromote) != "t") {
    Refuse("the server did not become a primary within an hour; it goes on by itself",
           "Its log says what it does; then run mfi rejoin on the other node.");
  }
  os::MakeSlot(*server, options.slot);
  WaitForNoStandby(*server, log);
  log.Say("this node is the primary, on timeline " +
          server->Value("SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"));
  log.Say("next: point applications here; then mfi rejoin on the other node (slot " + options.slot +
          " keeps its WAL, as far as max_slot_wal_keep_size lets it)");
}

int Promote(const PromoteOptions& options, std::ostream& out) {
  if (std::getenv("PGDATABASE") == nullptr) setenv("PGDATABASE", "postgres", 1);  // NOLINT: one thread
  return Logged(out, [&](os::Waiter& waiter, os::NodeLog& log) {
    PromoteServer(options, waiter, log);
    return 0;
  });
}

}  // namespace mfi::command
