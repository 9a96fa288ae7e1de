#pragma once

#include <optional>
#include <string>

#include "pg/backup/request_queue.h"

struct BackgroundWorkerHandle;

namespace mfi::pg {

/// The launcher's part that starts runners, one at a time, and notices their ends. It also notices the end of a run
/// that an earlier launcher started: that must be known before anything is planned again.
class RunnerWatch {
 public:
  /// What a look has found.
  struct Ends {
    bool a_run = false;                       // some run was going on at the last look and is over
    bool a_process = false;                   // the runner that was started here has ended
    std::string backup;                       // the id of the backup that is over; empty: none
    std::optional<WaitingRequest> not_begun;  // the request whose runner ended before it began
  };

  /// One look. Answers for a verification whose process ended without an answer.
  Ends Look();

  /// Hands the request to a new runner; gives it back when no background worker is free.
  std::optional<WaitingRequest> Start(WaitingRequest request);

  /// Whether a run is going on, or a runner is on its way.
  bool Busy() const;

  /// Whether a process that was started here has not been seen to end.
  bool HasProcess() const { return process_ != nullptr; }

 private:
  void LookAtProcess(Ends& ends);

  std::optional<WaitingRequest> starting_;  // handed to the runner
  BackgroundWorkerHandle* process_ = nullptr;
  std::string running_;          // id of the backup that was going on at the last look; empty: none
  bool was_running_ = false;     // some run was going on at the last look
  std::uint64_t verifying_ = 0;  // the ticket of what was verified at the last look; 0: nothing
};

}  // namespace mfi::pg
