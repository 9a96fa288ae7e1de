#pragma once

#include <memory>
#include <string>
#include <vector>

#include "os/process/child.h"
#include "os/recovery/base_run.h"
#include "os/server/connection.h"
#include "support.h"

namespace mfi::test {

/// A PostgreSQL server that can be copied, of the programs of $PG_CONFIG (or the pg_config in the PATH). It runs as
/// nobody where this process is root's; ended with the object.
class RealCluster {
 public:
  /// `directory` is made; its data are in `<directory>/data`, its socket in it.
  RealCluster(std::string directory, TestHost& host);

  void Init();
  void Configure(const std::string& lines);
  void Start();
  void Stop();

  /// By the superuser "boss".
  std::string Sql(const std::string& sql) { return Connect().Value(sql); }
  void Execute(const std::string& sql) { Connect().Execute(sql); }
  os::Connection Connect();

  /// A directory for this server, with what this process has put there.
  void TakeOver(const std::string& directory);

  std::string Data() const { return directory_ + "/data"; }
  const std::string& directory() const { return directory_; }
  static std::string Programs();
  std::string Conninfo() const;

  /// Runs one of PostgreSQL's programs as the server's user, or as this process's; the test fails when it does.
  void RunAsServer(const std::string& program, std::vector<std::string> arguments);
  void Run(const std::string& program, std::vector<std::string> arguments);

 private:
  os::Command AsServer(const std::string& program, std::vector<std::string> arguments) const;

  std::string directory_;
  TestHost& host_;
  std::unique_ptr<os::Child> server_;
};

/// Such a server, a recovery directory, a job for base runs of it and pg_receivewal into its store.
class RecoveryFixture : public testing::Test {
 protected:
  RecoveryFixture();

  /// pg_receivewal of that server, ended with the fixture.
  void Receive(RealCluster& server);

  core::BaseRecord MakeBase(bool full);
  core::Error FailureOf(bool full);

  /// The names in the store's directory of bases.
  std::vector<std::string> Bases() const { return os::ListDirectory(store_.BasesPath()); }

  /// A script in place of the program, which finds the real one as "$REAL".
  void Replace(const std::string& program, const std::string& body);

  /// Combines the chain of this base in `into` and starts a server on it, as a drill would.
  void StartRecovered(const core::BaseRecord& base, RealCluster& recovered);

  TempDirectory temporary_;
  TestHost host_;
  TestHost receiver_host_;
  RealCluster server_;
  os::RecoveryStore store_;
  os::RecoveryJob job_;
  std::unique_ptr<os::Child> receiver_;
  std::vector<std::string> phases_;
};

}  // namespace mfi::test
