#pragma once

#include <string>
#include <vector>

namespace mfi::core {

/// In the order of gravity: "cannot tell" weighs more than a warning and less than a known failure.
enum class Verdict { kOk, kWarning, kUnknown, kCritical };

/// `ok`, `warning`, `unknown`, `critical`.
std::string ToString(Verdict verdict);

/// One thing that is not as it should be. `code` is stable; `sentence` carries the figures; `next_step` says what
/// a person can do about it.
struct Reason {
  Verdict verdict = Verdict::kOk;
  std::string code;
  std::string sentence;
  std::string next_step;

  /// `code: sentence`, as every SQL function shows it.
  std::string Text() const { return code + ": " + sentence; }
};

using Reasons = std::vector<Reason>;

/// The gravest verdict among the reasons; ok when there is none.
Verdict Worst(const Reasons& reasons);

/// What to do about a launcher that does not come round.
inline constexpr char kStalledStep[] =
    "It goes on by itself when the file system of mfi.backup_directory answers: look at that mount, and at the state "
    "of "
    "the process \"mfi launcher\" (D: it waits for a disk).";

/// Gravest first; equal ones keep their order.
void SortByGravity(Reasons& reasons);

}  // namespace mfi::core
