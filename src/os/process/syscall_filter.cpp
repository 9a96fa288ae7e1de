#include "os/process/syscall_filter.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "core/base/error.h"
#include "os/base/file.h"

namespace mfi::os {
namespace {

// Ways out that Landlock does not know, or an older one does not.
constexpr const char* kForbidden[] = {
    // to other processes and machines: a connection, a message to an address, somebody else's descriptors and memory
    "connect", "sendmsg", "sendmmsg", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
    "pidfd_open", "pidfd_getfd", "kcmp", "move_pages", "migrate_pages", "mq_open",
    // System V's, which belong to no directory (of shared memory, a server needs one small piece: below)
    "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semtimedop", "semctl",
    // what Landlock lets pass on files: owners, attributes, times, and handles that go around paths
    "chown", "lchown", "fchown", "fchownat", "fchmod", "setxattr", "lsetxattr", "fsetxattr", "removexattr",
    "lremovexattr", "fremovexattr", "utime", "utimes", "futimesat", "utimensat", "name_to_handle_at",
    "open_by_handle_at", "inotify_init", "inotify_init1", "fanotify_init",
    // around this filter and into the kernel
    "io_uring_setup", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "mount", "umount2",
    "pivot_root", "chroot", "unshare", "setns", "open_tree", "move_mount", "fsopen", "fspick", "mount_setattr",
    // rights of processes that run already
    "setpriority", "ioprio_set", "sched_setscheduler", "sched_setparam", "sched_setattr", "sched_setaffinity"};

/// Newer than the library that makes the filter may be; these numbers are the same on every architecture.
constexpr int kForbiddenNumbers[] = {463 /* setxattrat */, 466 /* removexattrat */, 469 /* file_setattr */};

/// The server sets the mode of its socket at its start, in a directory that nobody else can enter: it is told that it
/// is done.
constexpr const char* kPretended[] = {"chmod", "fchmodat"};
constexpr int kFchmodat2 = 452;

constexpr scmp_datum_t kLargestSegment = 4096;
constexpr scmp_datum_t kNamespaces = 0x7e020080;  // every CLONE_NEW* flag

void Check(int result) {
  if (result < 0) ThrowErrno(-result, "make", "the system call filter");
}

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

void Forbid(const Context& context, int number) {
  Check(seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(EPERM), number, 0));
}

void ForbidNames(const Context& context) {
  for (const char* name : kForbidden) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number >= 0) Forbid(context, number);  // an architecture need not have each
  }
  for (const int number : kForbiddenNumbers) Forbid(context, number);
  for (const char* name : kPretended) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number >= 0) Check(seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(0), number, 0));
  }
  Check(seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(0), kFchmodat2, 0));
}

/// A server makes one segment, for itself alone, that tells a later one whether it still runs. It may not look for the
/// segments of others, nor change or remove any: those of the server outside are of the same user. Its own is removed
/// when it is gone, so that it is told that it has removed it.
void ForbidSharedMemory(const Context& context) {
  void* c = context.get();
  constexpr scmp_datum_t kMakesItsOwn = IPC_CREAT | IPC_EXCL | 0600;
  Check(seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(shmget), 1, SCMP_A2(SCMP_CMP_NE, kMakesItsOwn)));
  Check(seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(shmget), 1, SCMP_A1(SCMP_CMP_GT, kLargestSegment)));
  Check(seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(shmctl), 1, SCMP_A1(SCMP_CMP_NE, IPC_RMID)));
  Check(seccomp_rule_add(c, SCMP_ACT_ERRNO(0), SCMP_SYS(shmctl), 1, SCMP_A1(SCMP_CMP_EQ, IPC_RMID)));
}

void ForbidByArgument(const Context& context) {
  void* c = context.get();
  Check(seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX)));
  Check(seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(sendto), 1, SCMP_A4(SCMP_CMP_NE, 0)));
  Check(seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0)));
  // The C library asks for clone3 first, whose flags no filter can read, and then for clone.
  Check(seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
  for (scmp_datum_t flag = 1; flag <= kNamespaces; flag <<= 1U) {
    if ((kNamespaces & flag) == 0) continue;
    Check(seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)));
  }
}

std::vector<sock_filter> Exported(const Context& context) {
  const UniqueFd file(memfd_create("filter", MFD_CLOEXEC));
  if (!file.valid()) ThrowErrno(errno, "create", "the system call filter");
  Check(seccomp_export_bpf(context.get(), file.get()));
  const off_t size = lseek(file.get(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<std::size_t>(size) / sizeof(sock_filter));
  if (pread(file.get(), program.data(), static_cast<std::size_t>(size), 0) != size) {
    ThrowErrno(errno, "read", "the system call filter");
  }
  return program;
}

}  // namespace

SyscallFilter::SyscallFilter() {
  const Context context(seccomp_init(SCMP_ACT_ALLOW));
  if (!context) throw core::Error(core::sqlstate::kInsufficientResources, "out of memory for the system call filter");
  ForbidNames(context);
  ForbidByArgument(context);
  ForbidSharedMemory(context);
  program_ = Exported(context);
}

bool SyscallFilter::Enter() const {
  const sock_fprog program{.len = static_cast<unsigned short>(program_.size()),
                           .filter = const_cast<sock_filter*>(program_.data())};  // prctl's signature
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace mfi::os
