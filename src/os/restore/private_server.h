#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "os/process/child.h"
#include "os/server/connection.h"

namespace mfi::os {

struct PrivateServerOptions {
  std::string called;            // in messages, such as "the scratch server"
  std::string application_name;  // of the sessions in it
  std::string binary_directory;
  std::string data_directory;
  std::string socket_directory;  // of mode 0700
  int server_major = 0;
  int niceness = 0;
  SandboxRules sandbox = {};  // what it may reach beside its own files, its program and what every server reads
};

/// A PostgreSQL server of this process on a data directory that is there: reachable only through its socket, and in a
/// sandbox that leaves it its own files alone, since code of others may run in it. It is gone with the object; with the
/// process, by the signal at the parent's death.
class PrivateServer {
 public:
  explicit PrivateServer(PrivateServerOptions options);
  ~PrivateServer() = default;
  PrivateServer(const PrivateServer&) = delete;
  PrivateServer& operator=(const PrivateServer&) = delete;

  /// Starts it with these settings (`name=value`), of which a later one beats an earlier one, and its own beat all.
  /// Does not wait.
  void Start(std::vector<std::string> settings);

  /// Shuts it down as fast as it can be done in order, and waits for that.
  void Stop(Waiter& waiter);

  /// `options`: of the session, as AsOptions() makes them.
  Session OpenAs(SessionKind kind, const std::string& role, const std::string& database,
                 const std::string& options = {}) const;

  /// Whether it takes sessions of this role; false while it starts. Throws ConnectError when it refuses this role, and
  /// Error when it has died.
  bool Answers(const std::string& role, Waiter& waiter);

  /// Name of the WAL segment that it replays, which needs no session to be known; empty: none yet.
  std::string ReplayedSegment() const;

  /// Has a standby replay what is there and then end its recovery, whether it takes sessions or not. Does not wait.
  void EndRecovery();

  /// Reads what the server printed, and makes processes nice that it has started since; throws Error when it has died.
  void CheckAlive();

  /// Of a server that was started: what the sandbox around it lacks on this kernel; empty when it stands whole.
  const std::string& LackingWalls() const { return sandbox_->Lacking(); }

 private:
  void MakeSandbox();
  pid_t Postmaster() const;

  PrivateServerOptions options_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<Child> server_;
};

/// Waits as another one does, and reads meanwhile what a private server prints: code of the database, and libraries
/// that are preloaded, may print as much as they like, and a server whose words nobody reads stands still. Throws Error
/// when the server has died.
class BesideServer : public Waiter {
 public:
  BesideServer(Waiter& waiter, PrivateServer& server) : waiter_(waiter), server_(server) {}

  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override;

 private:
  Waiter& waiter_;
  PrivateServer& server_;
  std::chrono::steady_clock::time_point looked_{};
};

}  // namespace mfi::os
