#pragma once

#include <iosfwd>
#include <string>

namespace mfi::command {

/// What a long command is at: on a terminal in one line that is written over, elsewhere a line for each new phase.
class Progress {
 public:
  Progress(std::ostream& out, bool terminal) : out_(out), terminal_(terminal) {}

  /// `phase` is all that a file gets; `details` change often.
  void Show(const std::string& phase, const std::string& details);

  /// Before anything else is written.
  void Clear();

 private:
  std::ostream& out_;
  bool terminal_;
  bool shown_ = false;
  std::string phase_;
};

}  // namespace mfi::command
