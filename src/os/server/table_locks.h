#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "os/server/connection.h"
#include "os/server/table_list.h"

namespace mfi::os {

/// What is not safe for an older snapshot (rewrites, TRUNCATE, renames) came between the list of tables and their
/// locks: to be begun anew.
class TablesChanged : public core::Error {
 public:
  TablesChanged(const std::string& what, std::string detail)
      : core::Error(core::sqlstate::kObjectNotInPrerequisiteState, what, std::move(detail),
                    "Back up when no tables are made, dropped or rewritten.") {}
};

/// Begins the dump's transaction, read only and repeatable read, by locks on all tables, before anything in it takes a
/// snapshot: what a table held before a rewrite that we have waited for is not in a snapshot from before. Then proves
/// that what is locked are the very tables of the snapshot, in the files that it reads.
///
/// `lister` is a session beside it, for what must not be asked in the transaction. Throws TablesChanged, or Error when
/// a lock is not to be had in `limit_ms`, with the table and who holds it.
class TableLocks {
 public:
  TableLocks(Connection& lister, Connection& source, std::int64_t limit_ms);

  /// The tables as the snapshot has them; its name is snapshot(). Throws Error when the server's lock table has no room
  /// for them all and for others' queries.
  std::vector<ListedTable> Take();
  const std::string& snapshot() const { return snapshot_; }
  /// That the lock table is used to more than a half; else empty.
  const std::string& remark() const { return remark_; }

 private:
  void CheckRoom(std::size_t tables);
  void Lock(const std::vector<ListedTable>& tables);
  [[noreturn]] void NotToBeHad(const std::vector<ListedTable>& tables);
  void Check(const std::vector<ListedTable>& tables);

  Connection& lister_;
  Connection& source_;
  std::int64_t limit_ms_;
  std::string snapshot_;
  std::string remark_;
};

/// A statement waits for our locks, and the dump behind it: no deadlock is seen, and all would wait for ever.
class InTheWay : public core::Error {
 public:
  explicit InTheWay(const std::string& whom)
      : core::Error(
            core::sqlstate::kObjectNotInPrerequisiteState,
            "the backup gave way to statements that change tables, until its time was over; the last is " + whom, {},
            "Back up when no tables are changed, or allow more time: mfi.backup_lock_timeout.") {}
};

/// Throws InTheWay when somebody waits for `holder`, and the dump, a connection of the same name, waits for him.
void RefuseToBeInTheWay(Connection& holder);

/// How often a dump is begun anew: twice when tables were changed; when it has given way, for as long as a lock may be
/// waited for. Each throws what it was given when that is over, else waits a moment.
class Attempts {
 public:
  Attempts(std::int64_t limit_ms, Waiter& waiter);

  void After(const TablesChanged& changed);
  void After(const InTheWay& way);

 private:
  void Pause();

  std::chrono::steady_clock::time_point deadline_;
  Waiter& waiter_;
  int changes_ = 0;
  std::chrono::milliseconds pause_{200};
};

}  // namespace mfi::os
