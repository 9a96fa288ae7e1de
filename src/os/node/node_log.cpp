#include "os/node/node_log.h"

#include <array>
#include <ctime>
#include <ostream>
#include <sstream>

namespace mfi::os {

void NodeLog::Say(const std::string& text) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y-%m-%d %H:%M:%S", &utc);
  out_ << stamp.data() << " UTC mfi: " << text << std::endl;
}

void NodeLog::Words(const std::string& words) {
  if (words.empty()) return;
  out_ << words << (words.back() == '\n' ? "" : "\n") << std::flush;
}

void NodeLog::Tell(const core::Error& error) {
  Say(error.what());
  std::istringstream steps(error.hint());
  for (std::string step; std::getline(steps, step);) out_ << "    " << step << "\n";
  out_ << std::flush;
}

void Refuse(const std::string& message, const std::string& next_steps) {
  throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, message, {}, next_steps);
}

}  // namespace mfi::os
