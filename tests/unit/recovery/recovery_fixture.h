#pragma once

#include <memory>
#include <string>
#include <vector>

#include "os/recovery/base_run.h"
#include "recovery/real_server.h"

namespace mfi::test {

/// A server, a recovery directory, a job for base runs of it and pg_receivewal into its store.
class RecoveryFixture : public testing::Test {
 protected:
  RecoveryFixture();

  /// pg_receivewal of that server, ended with the fixture.
  void Receive(RealServer& server);

  core::BaseRecord MakeBase(bool full);
  core::Error FailureOf(bool full);

  /// The names in the store's directory of bases.
  std::vector<std::string> Bases() const { return os::ListDirectory(store_.BasesPath()); }

  /// A script in place of the program, which finds the real one as "$REAL".
  void Replace(const std::string& program, const std::string& body);

  /// Combines the chain of this base in `into` and starts a server on it, as a drill would.
  void StartRecovered(const core::BaseRecord& base, RealServer& recovered);

  TempDirectory temporary_;
  TestHost host_;
  TestHost receiver_host_;
  RealServer server_;
  os::RecoveryStore store_;
  os::RecoveryJob job_;
  std::unique_ptr<os::Child> receiver_;
  std::vector<std::string> phases_;
};

}  // namespace mfi::test
