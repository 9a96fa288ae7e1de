#include "command/base/log_line.h"

#include <ctime>
#include <ostream>

#include "core/base/timestamp.h"

namespace mfi::command {

void Log(std::ostream& out, const std::string& text, const std::string& next_steps) {
  std::string time = core::FormatIso(std::time(nullptr));  // 2026-11-22T02:00:00Z
  time.at(10) = ' ';
  time.pop_back();
  out << time << " UTC mfi: " << text << "\n";
  if (!next_steps.empty()) out << "    " << next_steps << "\n";
  out << std::flush;
}

}  // namespace mfi::command
