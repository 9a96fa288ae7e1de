#pragma once

#include <iosfwd>
#include <string>

namespace mfi::command {

/// Writes a line of a container's log, beside the server's own: "<time> UTC mfi: <text>", and below it the next steps.
void Log(std::ostream& out, const std::string& text, const std::string& next_steps = {});

}  // namespace mfi::command
