#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "os/base/waiter.h"

namespace mfi::os {

/// Waits as another one does, for the time that a base run has; then it throws Error, with what the run was at.
class BaseLimit : public Waiter {
 public:
  BaseLimit(Waiter& waiter, std::chrono::seconds limit)
      : waiter_(waiter), limit_(limit), deadline_(std::chrono::steady_clock::now() + limit) {}

  /// As in `the base backup took longer than 60 s, while it waited for ...`.
  void SetDoing(std::string doing) { doing_ = std::move(doing); }

  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override {
    waiter_.Wait(fd, for_write, limit);
    if (std::chrono::steady_clock::now() < deadline_) return;
    throw core::Error(core::sqlstate::kExternalRoutine,
                      "the base backup took longer than " + std::to_string(limit_.count()) + " s, while it " + doing_);
  }

 private:
  Waiter& waiter_;
  std::chrono::seconds limit_;
  std::chrono::steady_clock::time_point deadline_;
  std::string doing_ = "began";
};

}  // namespace mfi::os
