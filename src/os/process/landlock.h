#pragma once

#include <string>

#include "os/base/file.h"
#include "os/process/sandbox.h"

namespace mfi::os {

/// A Landlock ruleset made from rules, as much of it as the kernel knows.
class Landlock {
 public:
  explicit Landlock(const SandboxRules& rules);

  /// What the kernel's version leaves open; empty when nothing is.
  std::string Lacking() const;

  /// Restricts this process; true without Landlock, too. Async-signal-safe.
  bool Enter() const;

 private:
  void Allow(const std::string& path, unsigned long long rights) const;

  int version_;
  UniqueFd ruleset_;
};

}  // namespace mfi::os
