#pragma once

#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/lsn.h"
#include "os/process/child.h"
#include "os/server/connection.h"
#include "support.h"

namespace mfi::test {

/// A server with replication, with WAL segments of 1 MB, of the programs of $PG_CONFIG (or the pg_config in the PATH).
/// Its data are in `<directory>/data`, its socket in the directory. As root, another user runs it; it ends with the
/// object.
class RealServer {
 public:
  static constexpr int kPort = 5432;
  static constexpr char kSuperuser[] = "boss";

  enum class Data { kNew, kNone };

  /// Makes the directory and an empty cluster, or no data yet. It has to be started.
  explicit RealServer(std::string directory, Data data = Data::kNew);

  /// Makes a standby of another server.
  RealServer(std::string directory, const RealServer& upstream);

  /// Lines for its configuration, where ALTER SYSTEM has them, too.
  void Configure(const std::string& lines);

  /// Settings of this start, as `name=value`. Returns when it takes connections.
  void Start(const std::vector<std::string>& settings = {});

  /// By SIGINT (fast), SIGQUIT (immediate) or SIGKILL, to all of its processes.
  void Stop(int signal_number = SIGQUIT);

  std::string Sql(const std::string& sql) { return Connect().Value(sql); }
  void Execute(const std::string& sql) { Connect().Execute(sql); }
  core::Lsn Lsn(const std::string& sql) { return core::ParseLsn(Sql(sql)).value_or(0); }
  os::Connection Connect();

  /// Promotes the standby, and returns when it is a primary.
  void Promote();

  /// Runs one of PostgreSQL's programs as this process's user; the test fails when it does.
  void Run(const std::string& program, std::vector<std::string> arguments);

  /// Gives what this process has put into a directory to the server's user.
  void TakeOver(const std::string& directory);

  const std::string& directory() const { return directory_; }
  std::string data() const { return directory_ + "/data"; }

  /// Without a database.
  std::string Conninfo() const;

 private:
  os::Command As(const std::string& program, std::vector<std::string> arguments) const;
  void RunAsServer(const std::string& program, std::vector<std::string> arguments);

  std::string directory_;
  TestHost host_;
  std::unique_ptr<os::Child> server_;
};

}  // namespace mfi::test
