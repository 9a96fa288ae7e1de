#pragma once

#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace mfi::os {

/// What a program in a sandbox may reach. Paths that are not there are left out.
struct SandboxRules {
  std::vector<std::string> writable;    // directories, with all below them
  std::vector<std::string> sockets;     // directories in which it may make sockets, and remove nothing
  std::vector<std::string> readable;    // files, and directories with all below them
  std::vector<std::string> executable;  // the same, to be executed too
  int newest_landlock = std::numeric_limits<int>::max();  // as if the kernel knew no newer one; 0: none
};

/// Walls around a program whose code others may have written. Landlock: no file but those of the rules, no TCP, no
/// signal to a process outside. seccomp: no connection, no socket but a local one that listens, no file's mode, owner
/// or attributes, no other process's limits or memory, no namespace, of System V one small segment for itself. No
/// program gains rights by being executed. It needs no privilege, cannot be taken off again, and holds for every
/// process that the program starts.
class Sandbox {
 public:
  /// Throws Error when a rule cannot be made.
  explicit Sandbox(const SandboxRules& rules);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  /// What this kernel cannot wall off, as words; empty when the sandbox stands whole.
  const std::string& Lacking() const;

  /// Puts this process into the sandbox; false when the kernel refuses. Async-signal-safe.
  bool Enter() const;

 private:
  struct Walls;
  std::unique_ptr<Walls> walls_;
};

}  // namespace mfi::os
