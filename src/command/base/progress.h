#pragma once

#include <iosfwd>
#include <string>

namespace mfi::command {

/// What a long command is at: on a terminal in one line that is written over, elsewhere a line for each new phase. A
/// command that answers in JSON shows nothing.
class Progress {
 public:
  enum class To { kTerminal, kFile, kNobody };
  Progress(std::ostream& out, To to) : out_(out), to_(to) {}

  /// `phase` is all that a file gets; `details` change often.
  void Show(const std::string& phase, const std::string& details);

  /// Before anything else is written.
  void Clear();

 private:
  std::ostream& out_;
  To to_;
  bool shown_ = false;
  std::string phase_;
};

}  // namespace mfi::command
