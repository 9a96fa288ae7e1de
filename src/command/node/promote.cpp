#include "command/node/promote.h"

#include <stdlib.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>
#include <vector>

#include "command/node/logged.h"
#include "command/node/old_primary.h"
#include "core/base/error.h"
#include "core/base/low_setting.h"
#include "core/base/names.h"
#include "core/base/printable.h"
#include "os/node/control_file.h"
#include "os/node/replication_slot.h"
#include "os/server/operator_session.h"

namespace mfi::command {
namespace {

using os::Connection;
using os::Refuse;

constexpr char kName[] = "mfi promote";
constexpr std::size_t kMostWords = 500;

constexpr std::chrono::hours kPromotionLimit{1};
constexpr std::chrono::milliseconds kLookAgain{100};

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

bool IsPaused(Connection& server) { return server.Value("SELECT pg_get_wal_replay_pause_state()") != "not paused"; }

/// Of a server that may become a primary between two questions, and then has no such state.
bool IsPausedStill(Connection& server) {
  try {
    return IsPaused(server);
  } catch (const core::Error& error) {
    if (error.sqlstate() != core::sqlstate::kObjectNotInPrerequisiteState) throw;
    return false;
  }
}

/// What keeps a standby from replaying, as its primary has more of it.
std::vector<core::LowSetting> LowSettings(Connection& server, os::Waiter& waiter) {
  std::vector<core::LowSetting> low;
  for (const core::RequiredSetting& required : os::FindRequiredSettings(Setting(server, "data_directory"), waiter)) {
    const std::int64_t here = std::stoll(Setting(server, required.name));
    if (here < required.least) low.push_back({required.name, here, required.least});
  }
  return low;
}

[[noreturn]] void RefuseLowSettings(const std::vector<core::LowSetting>& low, const std::string& more) {
  Refuse("this standby has stopped replaying, as its primary has higher settings" + more,
         "Raise " + core::RaiseThem(low) +
             ", restart this server, and run this again when all is replayed.\nDo not resume replay: the server would "
             "end.");
}

/// A server whose replay has stopped because of such settings ends when it is resumed or promoted.
void RequireReplay(Connection& server, os::Waiter& waiter) {
  if (!IsPaused(server)) return;
  const std::string data = Setting(server, "data_directory");
  const std::vector<core::LowSetting> low = LowSettings(server, waiter);
  if (!low.empty()) RefuseLowSettings(low, "; nothing was changed");
  if (os::FindRequiredSettings(data, waiter).empty()) {
    Refuse("replay is paused on this standby; nothing was changed",
           "Run this on the standby's own machine, where pg_controldata says why.\nWhen its log speaks of insufficient "
           "parameter settings, raise those and restart it: it would end when replay is resumed.");
  }
  Refuse("replay is paused on this standby; nothing was changed",
         "SELECT pg_wal_replay_resume(), then run this again.");
}

/// The server itself first replays all that has arrived, but not half a record, which a look at the positions would
/// wait for. What it replays then may have higher settings of the primary's.
void BecomePrimary(Connection& server, os::Waiter& waiter) {
  try {
    server.Execute("SELECT pg_promote(false)");
    for (const auto end = std::chrono::steady_clock::now() + kPromotionLimit; std::chrono::steady_clock::now() < end;) {
      if (server.Value("SELECT pg_is_in_recovery()") == "f") return;
      if (const auto low = IsPausedStill(server) ? LowSettings(server, waiter) : std::vector<core::LowSetting>();
          !low.empty()) {
        RefuseLowSettings(low, " in what it still had to replay: it cannot become the primary yet");
      }
      waiter.Wait(-1, false, kLookAgain);
    }
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    if (error.sqlstate() == core::sqlstate::kObjectNotInPrerequisiteState) throw;
    Refuse("the server ended, or ended this session, while it was being promoted",
           core::PlainWords(error.what(), kMostWords) + "\nIts log says why.");
  }
  Refuse("the server did not become a primary within an hour; it goes on by itself",
         "Its log says what it does; then run mfi rejoin on the other node.");
}

void RequireStandby(Connection& server, os::Waiter& waiter) {
  if (server.Value("SELECT pg_is_in_recovery()") != "t") {
    Refuse("this node is a primary already; nothing was changed",
           "Ask: psql -c 'SELECT * FROM mfi_replication_health'");
  }
  if (server.Value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") != "t") {
    Refuse("promoting needs a superuser; nothing was changed", "Run it as the user postgres.");
  }
  RequireReplay(server, waiter);
}

/// A stream that is up, or WAL that has arrived since the last look.
class Hearing {
 public:
  explicit Hearing(Connection& server) : server_(server) {}

  std::string Now() {
    const os::Row row =
        server_
            .Query(
                "SELECT r.status, ceil(extract(epoch FROM clock_timestamp() - r.last_msg_receipt_time)), "
                "pg_last_wal_receive_lsn() FROM (VALUES (1)) one(row) "
                "LEFT JOIN pg_stat_get_wal_receiver() r ON r.pid IS NOT NULL")
            .at(0);
    if (row[0] == "streaming") {
      return "its stream is up" + (row[1] ? ", and has said something " + *row[1] + " s ago" : std::string());
    }
    const std::string received = row[2].value_or("");
    const bool arrives = !received_.empty() && received != received_;
    received_ = received;
    return arrives ? "WAL of it still arrives, up to " + received : "";
  }

 private:
  Connection& server_;
  std::string received_;
};

/// What libpq in that server may take from its environment where a connection string is silent. Of the variables it
/// was started with, which on Linux a superuser may read; empty where it is not to be had.
std::map<std::string, std::string> EnvironmentOf(Connection& server) {
  std::map<std::string, std::string> environment;
  try {
    const std::string hex = server.Value(
        "SELECT encode(pg_read_binary_file('/proc/' || split_part(pg_read_file('postmaster.pid'), E'\\n', 1) || "
        "'/environ'), 'hex')");
    std::string text;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      text += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    std::istringstream entries(text);
    for (std::string entry; std::getline(entries, entry, '\0');) {
      const auto equals = entry.find('=');
      if (entry.starts_with("PG") && equals != std::string::npos) {
        environment[entry.substr(0, equals)] = entry.substr(equals + 1);
      }
    }
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error&) {
    environment.clear();
  }
  return environment;
}

void RequireDeadPrimary(Connection& server, const PromoteOptions& options, os::Waiter& waiter) {
  OldPrimary primary;
  primary.stream = Setting(server, "primary_conninfo");
  primary.peer = server.Value("SELECT current_setting('mfi.peer_conninfo', true)");
  primary.environment = EnvironmentOf(server);
  primary.system_identifier = server.Value("SELECT system_identifier FROM pg_control_system()");
  primary.own_data = Setting(server, "data_directory");
  primary.own_name = options.own_name;
  Hearing hearing(server);
  const core::DeathVerdict verdict = LookWhetherDead(
      primary, [&] { return hearing.Now(); }, options.within, waiter);
  if (verdict.dead) return;
  Refuse(verdict.why + "; nothing was changed",
         WayOut(verdict,
                "Stop it first, and make sure that it does not start by itself: two primaries would both take "
                "writes.",
                options.own_name.empty() ? "mfi promote" : "/promote.sh"));
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
  RequireStandby(*server, waiter);
  if (options.primary_is_down) {
    log.Say("--primary-is-down: the old primary is not looked for. If it runs, both nodes take writes from now on");
  } else {
    RequireDeadPrimary(*server, options, waiter);
  }
  log.Say("promoting; replayed up to " + server->Value("SELECT pg_last_wal_replay_lsn()") + ", arrived " +
          server->Value("SELECT pg_last_wal_receive_lsn()"));
  BecomePrimary(*server, waiter);
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
