#include "command/base/progress.h"

#include <ostream>

namespace mfi::command {

void Progress::Show(const std::string& phase, const std::string& details) {
  if (to_ == To::kTerminal) {
    out_ << "\r\033[K" << phase << (details.empty() ? "" : ", ") << details << std::flush;
    shown_ = true;
  } else if (to_ == To::kFile && phase != phase_) {
    out_ << phase << std::endl;
    phase_ = phase;
  }
}

void Progress::Clear() {
  if (shown_) out_ << "\r\033[K" << std::flush;
  shown_ = false;
}

}  // namespace mfi::command
