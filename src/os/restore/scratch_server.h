#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "os/process/child.h"
#include "os/server/connection.h"

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

/// A private PostgreSQL server of this process for restoring a backup into: reachable only through a socket in a
/// directory of mode 0700, with no background workers, event triggers, or durability. It runs in a sandbox that
/// leaves it its own files alone, since code of the restored database may run in it. It and its directory are gone with
/// the object; with the process, by the signal at the parent's death.
class ScratchServer {
 public:
  /// Returns when it accepts connections; throws Error when it cannot be started.
  ScratchServer(const ScratchOptions& options, Waiter& waiter);
  ~ScratchServer();
  ScratchServer(const ScratchServer&) = delete;
  ScratchServer& operator=(const ScratchServer&) = delete;

  /// `options`: of the session, as AsOptions() makes them.
  Session OpenAs(SessionKind kind, const std::string& role, const std::string& database,
                 const std::string& options = {}) const;

  /// What the sandbox around it lacks on this kernel; empty when it stands whole.
  const std::string& LackingWalls() const { return sandbox_->Lacking(); }

  /// A directory that the server cannot reach.
  const std::string& directory() const { return directory_; }

  /// Where its socket is.
  const std::string& socket_directory() const { return socket_directory_; }

  /// Reads what the server printed, and makes processes nice that it has started since; throws Error when it has died.
  void CheckAlive();

 private:
  void MakeDirectories();
  void MakeSandbox();
  void Start();
  void WaitUntilReady();
  void RemoveFiles();
  std::string DataDirectory() const { return directory_ + "/data"; }

  ScratchOptions options_;
  Waiter& waiter_;
  std::string directory_;
  UniqueFd lock_;  // on the directory: its server is there
  std::string socket_directory_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<Child> server_;
};

/// Waits as another one does, and reads meanwhile what a scratch server prints: code of the database, and libraries
/// that are preloaded, may print as much as they like, and a server whose words nobody reads stands still. Throws Error
/// when the server has died.
class BesideServer : public Waiter {
 public:
  BesideServer(Waiter& waiter, ScratchServer& server) : waiter_(waiter), server_(server) {}

  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override;

 private:
  Waiter& waiter_;
  ScratchServer& server_;
  std::chrono::steady_clock::time_point looked_{};
};

/// How the directories begin that `node` uses for scratch servers below `parent`. Six more characters follow, which
/// nobody can foresee: where others may make files too, as in /tmp, no name can be taken beforehand.
std::string ScratchPath(const std::string& parent, const std::string& node);

/// Removes the directories of `node`'s scratch servers that are gone. What is of other users stays.
void RemoveScratchLeftovers(const std::string& parent, const std::string& node);

}  // namespace mfi::os
