#pragma once

#include <chrono>
#include <string>

#include "os/process/sandbox.h"

namespace mfi::os {

/// What the receiver, a base run and a drill need to know of their server, resolved by the caller.
struct RecoveryJob {
  std::string directory;  // mfi.recovery_directory
  std::string node;
  std::string database;               // whose contents a drill compares
  std::string backup_directory = {};  // whose newest proven backup it compares them with, too; empty: none
  std::string data_directory;
  std::string binary_directory;  // of the server's own programs
  int server_major = 0;
  std::string socket_directory;
  int port = 0;
  std::string superuser;  // name of the bootstrap superuser
  int niceness = 0;
  std::string scratch_directory;               // an existing directory; what is unpacked gets one of its own in it
  SandboxRules sandbox = {};                   // what a recovered server may reach of the server's installation
  std::chrono::seconds limit{};                // of a base run, or of a drill
  std::chrono::milliseconds patience{60'000};  // with who comes no further, and does not say why
};

}  // namespace mfi::os
