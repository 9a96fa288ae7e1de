#pragma once

#include <iosfwd>
#include <string>

#include "core/base/error.h"

namespace mfi::os {

/// What is said of a node, in the form of its container's log, beside the server's own lines.
class NodeLog {
 public:
  explicit NodeLog(std::ostream& out) : out_(out) {}

  /// `<UTC time> UTC mfi: text`
  void Say(const std::string& text);

  /// Of a program or a server, as they are.
  void Words(const std::string& words);

  /// The message, and each line of its hint as a next step below it.
  void Tell(const core::Error& error);

 private:
  std::ostream& out_;
};

/// An Error whose hint has a line for each next step.
[[noreturn]] void Refuse(const std::string& message, const std::string& next_steps);

}  // namespace mfi::os
