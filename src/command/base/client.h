#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "os/base/waiter.h"
#include "os/server/connection.h"

namespace mfi::command {

/// Makes this process one that reaches the right server. In a container of the stack (which has
/// usr/local/lib/mfi below `root`) it becomes the user postgres, whose rights are enough, and reaches the server beside
/// it by its socket, or from db-backup the primary, whichever node that is. Elsewhere it reaches servers as psql does,
/// by PGHOST, PGPORT, PGUSER and PGDATABASE. Nowhere do PGOPTIONS, PGTZ and the like change what values mean. Called
/// first, by one thread.
void PrepareEnvironment(const std::string& root = "/");

/// Whether this is a container of the stack.
bool InContainer(const std::string& root = "/");

/// A session with the server of the environment, in which mfi's functions are found and nothing that others have put
/// before them. Nothing that a database, a role or the server has set for clients ends it, gives it another role, or
/// changes what is asked and answered.
class Client {
 public:
  /// `name`: of the subcommand, as others see it in pg_stat_activity. `limit`: of each statement; 0 means none.
  Client(os::Waiter& waiter, std::string name, std::chrono::seconds limit);

  /// Rows of one statement. It connects first when there is no session, so that after an Error the next call may find
  /// a server that has restarted meanwhile.
  /// `parameters` are what $1, $2, ... stand for, as text.
  std::vector<os::Row> Ask(const std::string& sql, const std::vector<std::string>& parameters = {});

  /// The only value of a statement that returns one row of one column; "" for NULL.
  std::string Value(const std::string& sql, const std::vector<std::string>& parameters = {});

 private:
  void Connect();

  os::Waiter& waiter_;
  std::string name_;
  std::chrono::seconds limit_;
  std::unique_ptr<os::Connection> connection_;
};

}  // namespace mfi::command
