#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "os/process/child.h"

namespace mfi::os {

/// Runs a command for each message, some of them at the same time, and never waits for one: whoever owns it calls
/// Poll now and then.
class Notifier {
 public:
  /// Queues one message for the standard input of a program with arguments.
  void Send(std::vector<std::string> command, std::string message);

  /// Starts what waits, ends what takes longer than `limit`; waits for nothing. Returns how the commands that ended
  /// since ended: "" for a success, else what went wrong.
  std::vector<std::string> Poll(std::chrono::seconds limit);

  bool Idle() const { return waiting_.empty() && running_.empty(); }

 private:
  struct Message {
    std::vector<std::string> command;
    std::string text;
  };
  struct Running {
    std::vector<std::string> command;
    std::unique_ptr<Child> child;
    std::chrono::steady_clock::time_point since;
    bool stopped = false;  // it took too long, and that was told
  };

  std::deque<Message> waiting_;
  std::vector<Running> running_;
};

}  // namespace mfi::os
