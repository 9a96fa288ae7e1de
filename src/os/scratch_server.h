#pragma once

#include <memory>
#include <string>

#include "os/child.h"
#include "os/connection.h"

namespace mfi::os {

struct ScratchOptions {
  std::string binary_directory;  // initdb and postgres
  std::string directory;         // made by the server, removed with it
  std::string superuser;
  int niceness = 0;
};

/// A private PostgreSQL server of this process for restoring a backup into: reachable only through a socket in a
/// directory of mode 0700, with nothing preloaded, no background workers, and no durability. It and its directory are
/// gone with the object; with the process, by the signal at the parent's death.
class ScratchServer {
 public:
  /// Returns when it accepts connections; throws Error when it cannot be started.
  ScratchServer(const ScratchOptions& options, Waiter& waiter);
  ~ScratchServer();
  ScratchServer(const ScratchServer&) = delete;
  ScratchServer& operator=(const ScratchServer&) = delete;

  std::string Conninfo(const std::string& database) const;

  /// Reads what the server printed, and makes processes nice that it has started since; throws Error when it has died.
  void CheckAlive();

 private:
  void Start();
  void WaitUntilReady();
  void RemoveFiles();

  ScratchOptions options_;
  Waiter& waiter_;
  std::string socket_directory_;
  std::unique_ptr<Child> server_;
};

/// The one directory that `node` uses for scratch servers below `parent`.
std::string ScratchPath(const std::string& parent, const std::string& node);

}  // namespace mfi::os
