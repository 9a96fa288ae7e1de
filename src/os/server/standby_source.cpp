#include "os/server/standby_source.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/timestamp.h"
#include "os/server/connection.h"

namespace mfi::os {
namespace {

using core::Error;

constexpr char kIdentifier[] = "SELECT system_identifier FROM pg_catalog.pg_control_system()";
constexpr char kReceiver[] =
    "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_last_wal_replay_lsn(), r.status, "
    "pg_catalog.ceil(extract(epoch FROM pg_catalog.clock_timestamp() - r.last_msg_receipt_time)), "
    "pg_catalog.current_setting('hot_standby_feedback') "
    "FROM (VALUES (1)) one(row) LEFT JOIN pg_catalog.pg_stat_get_wal_receiver() r ON r.pid IS NOT NULL";

using Keywords = std::vector<std::pair<std::string, std::string>>;

/// In libpq's order, which is always the same.
Keywords Parsed(const std::string& conninfo) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(conninfo.c_str(), nullptr),
                                                                             PQconninfoFree);
  // libpq's own words quote a part of it, which only a superuser may see.
  if (!options) throw Error(core::sqlstate::kInvalidParameterValue, "the connection string cannot be read");
  Keywords keywords;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) keywords.emplace_back(option->keyword, option->val);
  }
  return keywords;
}

std::string ValueOf(const Keywords& named, std::string_view keyword) {
  for (const auto& [name, text] : named) {
    if (name == keyword) return text;
  }
  return {};
}

std::string OfEnvironment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

/// A service file names hosts, addresses and whatever else is not named beside it; what it says is known only to libpq,
/// when it connects, and may have changed by then. (`servicefile` came with PostgreSQL 18.)
bool HasService(const Keywords& named) {
  return !ValueOf(named, "service").empty() || !ValueOf(named, "servicefile").empty() ||
         !OfEnvironment("PGSERVICE").empty();
}

/// Whether it may be reached over TCP: unless each host is a directory, or an abstract name, of a socket, and nothing
/// else can name another. Without any host, libpq takes what the environment says, and then the machine's own socket.
bool MayLeadToTcp(const Keywords& named) {
  if (HasService(named)) return true;
  if (!ValueOf(named, "hostaddr").empty() || !OfEnvironment("PGHOSTADDR").empty()) return true;
  // Some programs take a whole connection string for a database's name.
  const std::string database = ValueOf(named, "dbname");
  if (database.find('=') != std::string::npos || database.find("://") != std::string::npos) return true;
  std::string hosts = ValueOf(named, "host");
  if (hosts.empty()) hosts = OfEnvironment("PGHOST");
  for (std::size_t begin = 0; begin <= hosts.size();) {
    const std::size_t end = std::min(hosts.find(',', begin), hosts.size());
    if (end > begin && hosts[begin] != '/' && hosts[begin] != '@') return true;
    begin = end + 1;
  }
  return false;
}

[[noreturn]] void Unfit(const std::string& why, const std::string& hint) {
  throw Error(core::sqlstate::kObjectNotInPrerequisiteState, why, {}, hint);
}

}  // namespace

std::string ConninfoKeywords(const std::string& conninfo) {
  std::string keywords;
  for (const auto& [keyword, value] : Parsed(conninfo)) keywords += keyword + "=" + core::ConninfoValue(value) + " ";
  return keywords;
}

std::string PeerKeywords(const std::string& conninfo) {
  const Keywords named = Parsed(conninfo);
  const auto value = [&](const char* keyword) { return ValueOf(named, keyword); };
  std::string keywords = ConninfoKeywords(conninfo);
  if (!value("require_auth").empty() || !value("channel_binding").empty() || !MayLeadToTcp(named)) return keywords;
  const std::string tls = value("sslmode");
  if (tls == "disable") {
    throw Error(core::sqlstate::kInvalidParameterValue,
                "sslmode=disable in the connection string keeps the other node from being authenticated", {},
                "Leave sslmode out, or say what is demanded instead, such as require_auth=scram-sha-256 "
                "channel_binding=disable.");
  }
  // Weaker modes would go on without TLS; the stronger ones check the certificate, too. A service file may name one of
  // them, which must not be taken back; if it names none, channel binding alone demands TLS of who is to be believed.
  const bool weak = tls == "allow" || tls == "prefer" || (tls.empty() && !HasService(named));
  return keywords + (weak ? "sslmode=require " : "") + (value("gssencmode").empty() ? "gssencmode=disable " : "") +
         "require_auth=scram-sha-256 channel_binding=require ";
}

std::int64_t BytesBehind(Connection& primary, const std::string& lsn) {
  const std::string bytes = primary.Value("SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), " +
                                          core::SqlLiteral(lsn) + ")");
  return std::max<std::int64_t>(0, std::strtoll(bytes.c_str(), nullptr, 10));
}

std::string CheckStandby(Connection& primary, Connection& standby, const StandbyLimits& limits) {
  const std::string hint = "See mfi_replication_status(), and mfi.backup_source_conninfo.";
  if (primary.Value(kIdentifier) != standby.Value(kIdentifier)) Unfit("it belongs to another cluster", hint);
  const Row row = standby.Query(kReceiver).at(0);
  if (row[0] != "t") Unfit("it is not a standby", hint);
  if (row[2] != "streaming" || !row[3]) {
    Unfit("it does not stream" + (row[2] ? " (its receiver: " + *row[2] + ")" : std::string()),
          "See mfi_replication_status(); the role that connects must be a member of pg_monitor.");
  }
  const std::int64_t silence = std::strtoll(row[3]->c_str(), nullptr, 10);
  if (silence > limits.silence_s) {
    Unfit("it has heard nothing for " + core::FormatDuration(silence) + ", allowed are " +
              core::FormatDuration(limits.silence_s),
          hint);
  }
  const std::int64_t behind = BytesBehind(primary, row[1].value_or("0/0"));
  if (behind > limits.lag_bytes) {
    Unfit("it is " + core::FormatBytes(behind) + " behind, allowed are " + core::FormatBytes(limits.lag_bytes), hint);
  }
  if (row[4] == "on") return {};
  return "the standby has hot_standby_feedback = off: a dump from it can be cancelled, and holds up what it replays";
}

bool IsRecoveryConflict(const Error& error) { return error.sqlstate() == kRecoveryConflict; }

}  // namespace mfi::os
