#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "os/base/file.h"
#include "os/base/waiter.h"
#include "os/process/sandbox.h"

namespace mfi::os {

/// A program with its arguments; never a shell. The environment is exactly `environment` (KEY=VALUE).
struct Command {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  int niceness = 0;
  std::size_t kept_output = std::size_t{64} * 1024 * 1024;  // bytes of what it prints; of more, the first go
  std::string input;                                        // all of its standard input
  int end_signal = SIGTERM;                                 // asks it to end
  std::string directory = {};                               // it starts in; empty: this process's own
  const Sandbox* sandbox = nullptr;                         // the walls it runs in; whatever it starts ends with it
};

/// PATH, HOME and TZ of this process plus LC_ALL=C: what PostgreSQL's client programs need, and no PG* variable.
std::vector<std::string> CleanEnvironment();

/// How a child ended, with what it printed.
struct ChildResult {
  int exit_code = 0;   // 128 + signal when a signal ended it
  std::string output;  // the last of it, as the command says
  std::string errors;  // its last 64 kB
};

/// A running child process in its own process group. It gets its end signal when this process dies (by whatever
/// cause), and so does its group when the object is destroyed before the child ended; SIGKILL follows after 5 seconds.
/// Always reaped.
class Child {
 public:
  explicit Child(const Command& command);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  /// Waits for the end, a piece of at most 200 ms at a time; true when it has ended.
  bool WaitPiece(Waiter& waiter);

  /// Whether it has ended, without waiting.
  bool Ended();

  /// Asks it to end, without waiting for that: Ended must be called until it is true, and kills it after 5 seconds.
  void End();

  /// The last 64 kB of what it has written to its standard error by now.
  const std::string& errors() const { return result_.errors; }

  /// After WaitPiece or Ended returned true.
  const ChildResult& result() const { return result_; }

 private:
  bool Drain();
  bool Reap(bool block);
  void Stop();

  pid_t pid_ = -1;
  int end_signal_;
  UniqueFd output_;
  UniqueFd errors_;
  bool has_more_ = false;  // to read at once
  std::size_t kept_output_;
  std::optional<std::chrono::steady_clock::time_point> kill_at_;  // it was asked to end
  ChildResult result_;
};

/// Runs to the end.
ChildResult RunCommand(const Command& command, Waiter& waiter);

/// For the exit callback of a process that unwinds no C++ object: stops every child this process still has, as
/// ~Child does.
void StopAllChildren();

}  // namespace mfi::os
