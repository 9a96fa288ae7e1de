#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "os/process/child.h"

namespace mfi::pg {

/// A verdict is given within two seconds. Whoever wants something of a directory would rather wait for a busy machine.
inline constexpr std::chrono::milliseconds kVerdictWaits{1700};
inline constexpr std::chrono::milliseconds kOthersWait{8000};

/// Asks whether the file system of a directory answers: a process of its own lists the directory and reads from it,
/// which can be killed where this session could not.
class AnswerProbe {
 public:
  /// Begins to ask. An empty path answers.
  explicit AnswerProbe(const std::string& directory);

  /// Waits for the answer; false when there is none within `limit` of the statement's beginning, as where a mount
  /// hangs.
  bool AnswersWithin(std::chrono::milliseconds limit);

 private:
  std::chrono::steady_clock::time_point began_;
  std::unique_ptr<os::Child> child_;  // null: nothing to ask
};

bool DirectoryAnswers(const std::string& directory, std::chrono::milliseconds limit);

}  // namespace mfi::pg
