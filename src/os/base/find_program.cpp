#include "os/base/find_program.h"

#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "core/base/error.h"

namespace mfi::os {

std::string FindProgram(const std::string& name) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): one thread
  std::istringstream list(std::string(path == nullptr ? "" : path) + ":/usr/bin:/bin");
  for (std::string directory; std::getline(list, directory, ':');) {
    std::string program = directory + "/" + name;
    if (directory.starts_with('/') && access(program.c_str(), X_OK) == 0) return program;
  }
  throw core::Error(core::sqlstate::kUndefinedFile, "there is no program " + name, {},
                    "Install the Debian package \"" + name + "\" on this machine.");
}

}  // namespace mfi::os
