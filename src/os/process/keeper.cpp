#include "os/process/keeper.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#include "os/process/shared_memory.h"

namespace mfi::os {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kGrace{4};
constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 20'000'000};
constexpr int kNotStarted = 127;

/// A server that starts counts who is attached to the segment of the one before: that must not be us.
void DetachSharedMemory() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/SYSV") == std::string::npos) continue;
    const auto address = std::strtoull(line.c_str(), nullptr, 16);
    shmdt(reinterpret_cast<void*>(address));  // NOLINT(performance-no-int-to-ptr): the kernel gives it as text
  }
}

/// Kills the children there are; those of a child that dies become ours.
void KillChildren() {
  const std::string self = std::to_string(getpid());
  std::ifstream children("/proc/" + self + "/task/" + self + "/children");
  for (pid_t pid = 0; children >> pid;) kill(pid, SIGKILL);
}

class Keeper {
 public:
  Keeper(pid_t program, int end_signal, std::time_t begun) : program_(program), end_signal_(end_signal), begun_(begun) {
    sigfillset(&signals_);
    sigdelset(&signals_, SIGKILL);
    sigdelset(&signals_, SIGSTOP);
  }

  [[noreturn]] void UntilAllEnded() {
    for (;;) {
      const int signal_number = sigtimedwait(&signals_, nullptr, &kLook);
      if (signal_number == SIGTERM || signal_number == SIGINT || signal_number == SIGQUIT) AskToEnd();
      if (!Reap()) break;
      if (ended_ || (asked_ && steady_clock::now() >= deadline_)) KillChildren();
    }
    RemoveAbandonedSharedMemory(begun_);
    _exit(WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_));
  }

 private:
  void AskToEnd() {
    if (!ended_) kill(program_, end_signal_);
    if (!asked_) deadline_ = steady_clock::now() + kGrace;
    asked_ = true;
  }

  /// False when no process is left.
  bool Reap() {
    for (;;) {
      int status = 0;
      const pid_t pid = waitpid(-1, &status, WNOHANG);
      if (pid == 0) return true;
      if (pid < 0) return errno != ECHILD;
      if (pid != program_) continue;
      ended_ = true;
      status_ = status;
    }
  }

  pid_t program_;
  int end_signal_;
  std::time_t begun_;
  sigset_t signals_{};
  bool ended_ = false;
  bool asked_ = false;
  int status_ = 0;
  steady_clock::time_point deadline_;
};

}  // namespace

void Keep(int end_signal, void (*start)(const void*), const void* argument) {
  prctl(PR_SET_NAME, "mfi keeper");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  const pid_t self = getpid();
  const std::time_t begun = std::time(nullptr);
  const pid_t program = fork();
  if (program == 0) {
    prctl(PR_SET_PDEATHSIG, end_signal);
    if (getppid() == self) {
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      start(argument);
    }
    _exit(kNotStarted);
  }
  if (program < 0) _exit(kNotStarted);
  close_range(3, ~0U, 0);
  DetachSharedMemory();
  Keeper(program, end_signal, begun).UntilAllEnded();
}

}  // namespace mfi::os
