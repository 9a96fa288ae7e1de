#pragma once

#include <string>

#include "os/backup/backup_run.h"

namespace mfi::command {

/// How a program that a person runs waits: ^C, SIGTERM and a terminal that is gone end the wait with a Stop, so that
/// children are ended and what is half done is told.
class CommandHost : public os::RunHost {
 public:
  CommandHost();
  CommandHost(const CommandHost&) = delete;
  CommandHost& operator=(const CommandHost&) = delete;

  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override;
  core::UtcSeconds Now() override;
  std::string Sha256OfFile(int fd, const std::string& shown) override;
  void Progress(core::RunState, std::int64_t) override {}
};

}  // namespace mfi::command
