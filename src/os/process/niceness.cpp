#include "os/process/niceness.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <sstream>
#include <string>

#include "core/base/error.h"
#include "os/base/file.h"

namespace mfi::os {
namespace {

/// Nanoseconds; the kernel takes no less.
constexpr std::uint64_t kShortestSlice = 100'000;

/// The kernel's sched_attr in its first version, which every kernel knows; its header repeats what <sched.h> defines.
struct SchedulerAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t niceness;
  std::uint32_t priority;
  std::uint64_t runtime;  // of a process that is no real-time one: its slice
  std::uint64_t deadline;
  std::uint64_t period;
};
static_assert(sizeof(SchedulerAttributes) == 48);

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

void GiveWay(pid_t pid, int niceness) {
  if (niceness == 0) return;
  SchedulerAttributes attributes{};
  attributes.size = sizeof(attributes);
  attributes.policy = SCHED_BATCH;
  attributes.niceness = niceness;
  attributes.runtime = kShortestSlice;
  if (syscall(SYS_sched_setattr, pid, &attributes, 0) == 0) return;
  setpriority(PRIO_PROCESS, static_cast<id_t>(pid), niceness);
}

bool Renice(pid_t pid, int niceness) {
  if (niceness == 0) return true;
  GiveWay(pid, niceness);
  const std::string path = ProcPath(pid, "autogroup");
  const std::string wanted = std::to_string(niceness);
  const std::string group = ReadProc(path);
  if (group.empty() || group.ends_with(" nice " + wanted + "\n")) return true;
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return !file.valid() || write(file.get(), wanted.data(), wanted.size()) >= 0 || errno != EAGAIN;
}

void ReniceDescendants(pid_t parent, int niceness) {
  std::istringstream children(ReadProc(ProcPath(parent, "task/" + std::to_string(parent) + "/children")));
  for (pid_t pid = 0; children >> pid;) {
    Renice(pid, niceness);
    ReniceDescendants(pid, niceness);
  }
}

}  // namespace mfi::os
