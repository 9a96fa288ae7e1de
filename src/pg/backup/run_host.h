#pragma once

#include <chrono>

#include "os/backup/run_host.h"

namespace mfi::pg {

/// The runner process as core and os see it: waits on the latch, stops for cancel, shutdown and mfi.backup_timeout,
/// and shows its progress in shared memory.
class LatchHost : public os::RunHost {
 public:
  explicit LatchHost(std::chrono::seconds limit) : deadline_(std::chrono::steady_clock::now() + limit), limit_(limit) {}

  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override;
  core::UtcSeconds Now() override;
  std::string Sha256OfFile(int fd, const std::string& shown) override;
  void Progress(core::RunState state, std::int64_t bytes) override;
  void DumpsStandby(bool begins) override;

 private:
  void StopIfAsked() const;

  std::chrono::steady_clock::time_point deadline_;
  std::chrono::seconds limit_;
};

}  // namespace mfi::pg
