#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/lsn.h"
#include "os/process/child.h"
#include "os/server/connection.h"
#include "support.h"

namespace mfi::test {

/// A server with replication, in a directory of its own, with WAL segments of 1 MB. As root, another user runs it.
class RealServer {
 public:
  static constexpr int kPort = 5432;
  static constexpr char kSuperuser[] = "boss";

  /// Makes an empty cluster, or a standby of another server. It has yet to be started.
  explicit RealServer(std::string directory, const RealServer* upstream = nullptr);

  /// Settings as `name=value`. Returns when it takes connections.
  void Start(const std::vector<std::string>& settings = {});

  /// By SIGINT (fast), SIGQUIT (immediate) or SIGKILL, to all of its processes.
  void Stop(int signal_number);

  std::string Sql(const std::string& sql);
  void Execute(const std::string& sql) { Connect().Execute(sql); }
  core::Lsn Lsn(const std::string& sql) { return core::ParseLsn(Sql(sql)).value_or(0); }

  /// Promotes the standby, and returns when it is a primary.
  void Promote();

  const std::string& directory() const { return directory_; }
  std::string data() const { return directory_ + "/data"; }

 private:
  os::Command As(const std::string& program, std::vector<std::string> arguments) const;
  void Run(const std::string& program, std::vector<std::string> arguments);
  std::string Where() const;
  os::Connection Connect();

  std::string directory_;
  TestHost host_;
  std::unique_ptr<os::Child> server_;
};

}  // namespace mfi::test
