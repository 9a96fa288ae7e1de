#include "os/niceness.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <string>

#include "core/error.h"
#include "os/file.h"

namespace mfi::os {
namespace {

std::string ProcPath(pid_t pid, const std::string& name) { return "/proc/" + std::to_string(pid) + "/" + name; }

/// Empty when the process is gone, or the kernel has no such file.
std::string ReadProc(const std::string& path) {
  try {
    return ReadFile(path);
  } catch (const core::Error&) {
    return {};
  }
}

}  // namespace

bool Renice(pid_t pid, int niceness) {
  setpriority(PRIO_PROCESS, static_cast<id_t>(pid), niceness);
  const std::string path = ProcPath(pid, "autogroup");
  const std::string wanted = std::to_string(niceness);
  const std::string group = ReadProc(path);
  if (group.empty() || group.ends_with(" nice " + wanted + "\n")) return true;
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return !file.valid() || write(file.get(), wanted.data(), wanted.size()) >= 0 || errno != EAGAIN;
}

void ReniceChildren(pid_t parent, int niceness) {
  std::istringstream children(ReadProc(ProcPath(parent, "task/" + std::to_string(parent) + "/children")));
  for (pid_t pid = 0; children >> pid;) Renice(pid, niceness);
}

}  // namespace mfi::os
