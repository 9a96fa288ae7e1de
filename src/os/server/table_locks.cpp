#include "os/server/table_locks.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/timestamp.h"

namespace mfi::os {
namespace {

constexpr char kLockNotAvailable[] = "55P03";
constexpr char kDeadlock[] = "40P01";
constexpr std::size_t kTogether = 100;  // tables in a LOCK statement

/// What a table's name led to when it was no longer that table.
bool IsGone(const std::string& sqlstate) { return sqlstate == "42P01" || sqlstate == "3F000" || sqlstate == "42809"; }

constexpr char kLocked[] =
    "SELECT relation, pg_catalog.pg_relation_filenode(relation) FROM pg_catalog.pg_locks "
    "WHERE pid = pg_catalog.pg_backend_pid() AND granted AND locktype = 'relation' AND mode = 'AccessShareLock' "
    "AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";

// One for each table, as for pg_dump; they are the same ones. The server can hold this many of all its sessions.
constexpr char kRoom[] =
    "SELECT s.each, s.each * (SELECT pg_catalog.sum(setting::pg_catalog.int8) + 1 FROM pg_catalog.pg_settings "
    "WHERE name IN ('max_connections', 'autovacuum_max_workers', 'max_worker_processes', 'max_wal_senders', "
    "'max_prepared_transactions')) FROM (SELECT setting::pg_catalog.int8 FROM pg_catalog.pg_settings "
    "WHERE name = 'max_locks_per_transaction') AS s (each)";

constexpr char kInBetween[] =
    "SELECT b.pid, a.usename, pg_catalog.left(a.query, 200) FROM pg_catalog.pg_stat_activity d "
    "CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(d.pid)) AS b (pid) "
    "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid "
    "WHERE d.application_name = pg_catalog.current_setting('application_name') "
    "AND d.pid <> pg_catalog.pg_backend_pid() "
    "AND pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(b.pid)) LIMIT 1";

constexpr std::chrono::milliseconds kLongestPause{5000};

}  // namespace

TableLocks::TableLocks(Connection& lister, Connection& source, std::int64_t limit_ms)
    : lister_(lister), source_(source), limit_ms_(limit_ms) {}

std::vector<ListedTable> TableLocks::Take() {
  const std::vector<ListedTable> before = ListTables(lister_);
  CheckRoom(before.size());
  source_.Execute("SET lock_timeout = " + std::to_string(limit_ms_));
  source_.Execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  Lock(before);
  snapshot_ = source_.Value("SELECT pg_catalog.pg_export_snapshot()");
  std::vector<ListedTable> tables = ListTables(source_);
  std::set<std::uint32_t> known;
  for (const ListedTable& table : before) known.insert(table.oid);
  std::vector<ListedTable> later;
  std::copy_if(tables.begin(), tables.end(), std::back_inserter(later),
               [&](const ListedTable& table) { return known.count(table.oid) == 0; });
  Lock(later);
  Check(tables);
  return tables;
}

/// Without room, others' queries would fail beside the backup before it fails itself.
void TableLocks::CheckRoom(std::size_t tables) {
  const Row row = lister_.Query(kRoom).at(0);
  const auto number = [&](int i) {
    return std::strtoull(row[static_cast<std::size_t>(i)].value_or("0").c_str(), nullptr, 10);
  };
  const unsigned long long each = number(0);
  const unsigned long long room = number(1);
  if (tables * 2 <= room) return;
  const std::string what = "the backup locks " + std::to_string(tables) +
                           " tables, and the server has room for about " + std::to_string(room) +
                           " locks of all its sessions";
  const std::string enough = std::to_string(2 * tables * each / room + 1);
  remark_ = what + " (set max_locks_per_transaction to " + enough + " or more, and restart)";
  if (tables * 10 <= room * 9) return;
  throw core::Error("53200", what, {},
                    "ALTER SYSTEM SET max_locks_per_transaction = " + enough +
                        ", on each node, then restart; the standby first when it is raised.");
}

/// Statements of many tables, each waited for on its own. A lock takes no snapshot.
void TableLocks::Lock(const std::vector<ListedTable>& tables) {
  for (std::size_t from = 0; from < tables.size(); from += kTogether) {
    const std::size_t to = std::min(tables.size(), from + kTogether);
    std::string names;
    for (std::size_t i = from; i < to; ++i) names += (i == from ? "ONLY " : ", ONLY ") + tables[i].name;
    try {
      source_.Execute("LOCK TABLE " + names + " IN ACCESS SHARE MODE");
    } catch (const core::Error& error) {
      if (error.sqlstate() == kLockNotAvailable)
        NotToBeHad(
            {tables.begin() + static_cast<std::ptrdiff_t>(from), tables.begin() + static_cast<std::ptrdiff_t>(to)});
      if (!IsGone(error.sqlstate()) && error.sqlstate() != kDeadlock) throw;
      throw TablesChanged("a table was changed while the backup began", error.what());
    }
  }
}

void TableLocks::NotToBeHad(const std::vector<ListedTable>& tables) {
  std::string oids;
  for (const ListedTable& table : tables) oids += (oids.empty() ? "" : ",") + std::to_string(table.oid);
  const auto rows = lister_.Query(
      "SELECT l.relation, l.pid, a.usename, pg_catalog.date_trunc('second', a.xact_start) "
      "FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
      "WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock' "
      "AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) "
      "AND l.relation = ANY ('{" +
      oids + "}'::pg_catalog.oid[]) ORDER BY a.xact_start LIMIT 1");
  std::string what = "a table";
  std::string holder;
  if (!rows.empty()) {
    const Row& row = rows[0];
    for (const ListedTable& table : tables) {
      if (std::to_string(table.oid) == row[0].value_or("")) what = "table " + table.name;
    }
    holder = row[1] ? ": process " + *row[1] + " of role " + row[2].value_or("(unknown)") + " holds it since " +
                          row[3].value_or("(unknown)")
                    : ": a prepared transaction holds it";
  }
  throw core::Error(
      kLockNotAvailable,
      what + " could not be locked within " +
          (limit_ms_ < 1000 ? std::to_string(limit_ms_) + " ms" : core::FormatDuration(limit_ms_ / 1000)) + holder,
      {}, "End that transaction, or allow more time: mfi.backup_lock_timeout.");
}

/// A name may have come to mean another table by the time of its lock, and a table may have got another file between
/// lock and snapshot only before the lock. From here on our locks keep both as they are.
void TableLocks::Check(const std::vector<ListedTable>& tables) {
  std::map<std::string, std::string> locked;
  for (const Row& row : source_.Query(kLocked)) locked[row[0].value_or("")] = row[1].value_or("0");
  for (const ListedTable& table : tables) {
    const auto it = locked.find(std::to_string(table.oid));
    if (it == locked.end()) throw TablesChanged("table " + table.name + " was renamed while the backup began", "");
    if (!table.partitioned && it->second != table.file) {
      throw TablesChanged("table " + table.name + " was rewritten or truncated while the backup began", "");
    }
  }
}

void RefuseToBeInTheWay(Connection& holder) {
  holder.Execute("SELECT pg_catalog.pg_stat_clear_snapshot()");
  const auto rows = holder.Query(kInBetween);
  if (rows.empty()) return;
  const Row& row = rows[0];
  if (!row[1]) throw InTheWay("the standby's replay");
  throw InTheWay("process " + row[0].value_or("") + " of role " + *row[1] + ": " + row[2].value_or(""));
}

Attempts::Attempts(std::int64_t limit_ms, Waiter& waiter)
    : deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms)), waiter_(waiter) {}

void Attempts::After(const TablesChanged& changed) {
  if (++changes_ > 2) throw TablesChanged(changed);
  Pause();
}

void Attempts::After(const InTheWay& way) {
  if (std::chrono::steady_clock::now() >= deadline_) throw InTheWay(way);
  Pause();
}

void Attempts::Pause() {
  waiter_.Wait(-1, false, pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
}

}  // namespace mfi::os
