#include "os/recovery/receiver_server.h"

#include <charconv>
#include <chrono>
#include <vector>

#include "core/base/error.h"
#include "core/base/names.h"
#include "os/recovery/wal_receiver.h"
#include "os/server/connection.h"

namespace mfi::os {
namespace {

using core::Error;
using std::chrono::seconds;

constexpr seconds kConnectLimit{5};
constexpr seconds kAnswerLimit{10};

constexpr char kSlotOf[] =
    "SELECT active_pid, wal_status = 'lost' OR invalidation_reason IS NOT NULL, slot_type = 'physical' "
    "FROM pg_catalog.pg_replication_slots WHERE slot_name = ";

constexpr char kFlushed[] =
    "CASE WHEN pg_catalog.pg_is_in_recovery() "
    "THEN GREATEST(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn()) "
    "ELSE pg_catalog.pg_current_wal_flush_lsn() END";

[[noreturn]] void ThrowUnexpected(const std::string& what) {
  throw Error(core::sqlstate::kDataCorrupted, "the server gave an unexpected answer when asked for " + what);
}

std::vector<Row> Ask(Connection& server, const std::string& sql) {
  server.Send(sql);
  if (!server.Ready(std::chrono::steady_clock::now() + kAnswerLimit)) {
    throw Error(core::sqlstate::kConnectionFailure,
                "the server gave no answer within " + std::to_string(kAnswerLimit.count()) + " s");
  }
  return server.Take();
}

core::Lsn LsnOf(const std::optional<std::string>& text) {
  return text ? core::ParseLsn(*text).value_or(0) : core::Lsn{0};
}

std::int64_t NumberOf(const std::optional<std::string>& text, const std::string& what) {
  std::int64_t number = 0;
  const std::string digits = text.value_or("");
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number <= 0) ThrowUnexpected(what);
  return number;
}

const Row& OnlyRow(const std::vector<Row>& rows, std::size_t columns, const std::string& what) {
  if (rows.size() != 1 || rows[0].size() < columns) ThrowUnexpected(what);
  return rows[0];
}

/// The slot keeps WAL from now on, and nobody receives by it.
void MakeSlot(Connection& server) {
  const std::string name = core::SqlLiteral(kRecoverySlot);
  const std::vector<Row> rows = Ask(server, kSlotOf + name);
  if (!rows.empty()) {
    const Row& slot = OnlyRow(rows, 3, "its slot");
    if (slot[2] != "t") {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  "the replication slot \"" + std::string(kRecoverySlot) + "\" is not a physical one", {},
                  "Drop it; the receiver makes its own.");
    }
    if (slot[0]) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  "the replication slot \"" + std::string(kRecoverySlot) + "\" is in use by process " + *slot[0]);
    }
    if (slot[1] != "t") return;
    Ask(server, "SELECT pg_catalog.pg_drop_replication_slot(" + name + ")");
  }
  Ask(server, "SELECT pg_catalog.pg_create_physical_replication_slot(" + name + ", true)");
}

core::History HistoryOf(Connection& replication, std::uint32_t timeline) {
  if (timeline == 1) return {};
  const std::string what = "the history of timeline " + std::to_string(timeline);
  const std::vector<Row> rows = replication.Command("TIMELINE_HISTORY " + std::to_string(timeline), kAnswerLimit);
  return core::ParseHistory(timeline, OnlyRow(rows, 2, what)[1].value_or(""));
}

}  // namespace

Session ReceiverSource::Sql() const {
  using core::ConninfoValue;
  // In a database that is always there, for a moment only, since one in use cannot be copied.
  return {SessionKind::kSuperuserOnOthersData,
          "host=" + ConninfoValue(job_.socket_directory) + " port=" + std::to_string(job_.port) +
              " user=" + ConninfoValue(job_.superuser) + " dbname=template1",
          kReceiverName,
          job_.server_major,
          {},
          kAnswerLimit};
}

Session ReceiverSource::Replication() const {
  using core::ConninfoValue;
  return {SessionKind::kReplication,
          "host=" + ConninfoValue(job_.socket_directory) + " port=" + std::to_string(job_.port) +
              " user=" + ConninfoValue(job_.superuser) + " dbname=replication replication=true",
          kReceiverName, job_.server_major};
}

ReceiverServer ReceiverSource::Prepare() const {
  ReceiverServer server;
  core::ServerWal& wal = server.wal;
  Connection sql(Sql(), waiter_, kConnectLimit);
  MakeSlot(sql);
  const std::vector<Row> rows =
      Ask(sql,
          "SELECT setting, pg_catalog.pg_is_in_recovery(), (SELECT restart_lsn FROM pg_catalog.pg_replication_slots "
          "WHERE slot_name = " +
              core::SqlLiteral(kRecoverySlot) + ") FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'");
  const Row& row = OnlyRow(rows, 3, "its WAL");
  wal.segment_bytes = NumberOf(row[0], "its size of WAL segments");
  wal.in_recovery = row[1] == "t";
  wal.reserved = LsnOf(row[2]);

  Connection replication(Replication(), waiter_, kConnectLimit);
  const std::vector<Row> identified = replication.Command("IDENTIFY_SYSTEM", kAnswerLimit);
  const Row& system = OnlyRow(identified, 3, "its identity");
  server.identity.system_identifier = system[0].value_or("");
  server.identity.server_major = job_.server_major;
  server.identity.segment_bytes = wal.segment_bytes;
  wal.history = HistoryOf(replication, static_cast<std::uint32_t>(NumberOf(system[1], "its timeline")));
  wal.end = LsnOf(system[2]);

  std::vector<std::string> names;
  for (const Row& file : Ask(sql, "SELECT name FROM pg_catalog.pg_ls_waldir()")) names.push_back(file[0].value_or(""));
  wal.oldest = core::OldestOf(names, wal.history, wal.end, wal.segment_bytes);
  return server;
}

ReceiverProgress ReceiverSource::Progress() const {
  Connection sql(Sql(), waiter_, kConnectLimit);
  const std::vector<Row> rows = Ask(sql, std::string("SELECT ") + kFlushed +
                                             ", s.active, COALESCE(r.flush_lsn, s.restart_lsn) FROM (SELECT) one "
                                             "LEFT JOIN pg_catalog.pg_replication_slots s ON s.slot_name = " +
                                             core::SqlLiteral(kRecoverySlot) +
                                             " LEFT JOIN pg_catalog.pg_stat_replication r ON r.pid = s.active_pid");
  const Row& row = OnlyRow(rows, 3, "its progress");
  return {row[1] == "t", LsnOf(row[2]), LsnOf(row[0])};
}

}  // namespace mfi::os
