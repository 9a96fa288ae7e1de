#pragma once

#include <cstdint>
#include <string>

struct BackgroundWorkerHandle;

namespace mfi::pg {

/// The watcher's part that keeps a worker running while it is wanted, and starts it anew when what it works on changes.
class KeptWorker {
 public:
  KeptWorker(const char* type, const char* function) : type_(type), function_(function) {}

  /// One round, in which it is wanted for this; empty: not at all. Whether it is there, or will be at once.
  bool Round(const std::string& wanted);

  /// Milliseconds between two rounds.
  static constexpr long kRoundMs = 1000;

 private:
  const char* type_;
  const char* function_;
  BackgroundWorkerHandle* worker_ = nullptr;
  std::string started_for_;
  std::int64_t again_at_us_ = 0;
};

}  // namespace mfi::pg
