#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "os/restore/private_server.h"
#include "os/restore/scratch_place.h"

namespace mfi::os {

struct ScratchOptions {
  std::string binary_directory;  // initdb and postgres
  std::string directory;         // how its own begins, which the server makes, and removes at its end
  std::string superuser;
  std::string encoding = "UTF8";  // of its first databases
  int niceness = 0;
  int server_major = 0;
  std::size_t tables = 0;                  // that it will hold: room for locks
  std::string preload = {};                // shared_preload_libraries, of the server that proves: never what a set says
  std::vector<std::string> settings = {};  // `name=value`, for these libraries
  SandboxRules sandbox = {};  // what it may reach beside its own files, its program and what every server reads
};

/// A new and empty private server for restoring a backup into, with no background workers, event triggers, or
/// durability. It and its directory are gone with the object.
class ScratchServer {
 public:
  /// Returns when it accepts connections; throws Error when it cannot be started. How long it may take is for the
  /// waiter to say: a nice server may be kept from starting for minutes.
  ScratchServer(const ScratchOptions& options, Waiter& waiter);
  ~ScratchServer() = default;
  ScratchServer(const ScratchServer&) = delete;
  ScratchServer& operator=(const ScratchServer&) = delete;

  PrivateServer& server() { return server_; }

  /// A directory that the server cannot reach.
  const std::string& directory() const { return place_.directory(); }

  /// Where its socket is.
  const std::string& socket_directory() const { return place_.socket_directory(); }

 private:
  void MakeData(Waiter& waiter);
  void Start();
  void WaitUntilReady(Waiter& waiter);

  ScratchOptions options_;
  ScratchPlace place_;
  PrivateServer server_;
};

}  // namespace mfi::os
