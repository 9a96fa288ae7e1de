#include "os/process/sandbox.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/process/landlock.h"
#include "os/process/syscall_filter.h"

namespace mfi::os {
namespace {

bool KernelFilters() {
  constexpr unsigned kEperm = SECCOMP_RET_ERRNO;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kEperm) == 0;
}

}  // namespace

struct Sandbox::Walls {
  explicit Walls(const SandboxRules& rules) : landlock(rules), filters(KernelFilters()), lacking(landlock.Lacking()) {
    if (filters) return;
    if (!lacking.empty()) lacking += "; ";
    lacking += "the kernel has no seccomp filters: connections are not walled off";
  }

  Landlock landlock;
  SyscallFilter filter;
  bool filters;
  std::string lacking;
};

Sandbox::Sandbox(const SandboxRules& rules) : walls_(std::make_unique<Walls>(rules)) {}
Sandbox::~Sandbox() = default;

const std::string& Sandbox::Lacking() const { return walls_->lacking; }

bool Sandbox::Enter() const {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && walls_->landlock.Enter() &&
         (!walls_->filters || walls_->filter.Enter());
}

}  // namespace mfi::os
