#include "os/process/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "core/base/error.h"
#include "os/process/keeper.h"
#include "os/process/niceness.h"

namespace mfi::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPiece{200};
constexpr milliseconds kGrace{5000};
constexpr std::size_t kKeptErrors = 65536;
constexpr std::size_t kAtOnce = 1024 * 1024;  // no less than a pipe holds
constexpr int kExecFailed = 127;
constexpr std::string_view kNoSandbox = "the sandbox could not be entered\n";

struct Group {
  pid_t pid;
  int end_signal;
};

// Process groups that must not outlive this process; a plain array, because it is read when nothing unwinds.
std::array<Group, 16> running_groups{};

Group* Slot(pid_t pid) {
  return std::find_if(running_groups.begin(), running_groups.end(), [&](const Group& g) { return g.pid == pid; });
}

void Remember(const Group& group) {
  Group* slot = Slot(0);
  if (slot != running_groups.end()) *slot = group;
}

void Forget(pid_t pid) {
  Group* slot = Slot(pid);
  if (slot != running_groups.end()) *slot = {};
}

/// The end signal to the group, SIGKILL at the deadline; returns when the leader is reaped.
void StopGroup(const Group& group, steady_clock::time_point deadline, int* status) {
  const pid_t pid = group.pid;
  kill(-pid, group.end_signal);
  for (;;) {
    const pid_t ended = waitpid(pid, status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR)) break;
    if (steady_clock::now() >= deadline) kill(-pid, SIGKILL);
    poll(nullptr, 0, 10);
  }
  // Workers of a parallel pg_dump share the group: none may stay.
  kill(-pid, SIGKILL);
}

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Pipe MakePipe() {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) ThrowErrno(errno, "create", "pipe");
  Pipe made{UniqueFd(fds[0]), UniqueFd(fds[1])};
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return made;
}

/// A file without a name that holds `text`, to be read from its beginning.
UniqueFd InputOf(const std::string& text) {
  if (text.empty()) {
    UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null.valid()) ThrowErrno(errno, "open", "/dev/null");
    return null;
  }
  UniqueFd file(memfd_create("input", MFD_CLOEXEC));
  if (!file.valid()) ThrowErrno(errno, "create", "standard input");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = write(file.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) ThrowErrno(errno, "write", "standard input");
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));  // execve's signature
  pointers.push_back(nullptr);
  return pointers;
}

/// All that the last step to a program needs.
struct Program {
  const Sandbox* sandbox;
  char* const* argv;
  char* const* envp;
};

void Start(const void* argument) {
  const Program& program = *static_cast<const Program*>(argument);
  if (program.sandbox != nullptr && !program.sandbox->Enter()) {
    if (write(2, kNoSandbox.data(), kNoSandbox.size()) < 0) _exit(kExecFailed);
    _exit(kExecFailed);
  }
  execve(program.argv[0], program.argv, program.envp);
  _exit(kExecFailed);
}

/// In the child between fork and exec: only async-signal-safe calls, but for a keeper's, which is a process of its own.
[[noreturn]] void Exec(pid_t parent, int in, int out, int err, const Command& command, char* const* argv,
                       char* const* envp) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, command.end_signal);
  if (getppid() != parent) _exit(kExecFailed);
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) signal(signal_number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  GiveWay(0, command.niceness);
  if (!command.directory.empty() && chdir(command.directory.c_str()) != 0) _exit(kExecFailed);
  if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) _exit(kExecFailed);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  const Program program{command.sandbox, argv, envp};
  if (command.sandbox != nullptr) Keep(command.end_signal, Start, &program);
  Start(&program);
  _exit(kExecFailed);
}

void KeepTail(std::string& text, std::size_t kept) {
  if (text.size() > kept) text.erase(0, text.size() - kept);
}

/// Appends what can be read now, but no more than `kAtOnce`: who writes without end must not keep this process here.
/// Closes the descriptor at end of file. Of more than `kept` bytes the first go, many at a time. True when there may be
/// more to read.
bool ReadAvailable(UniqueFd& fd, std::string& text, std::size_t kept) {
  std::array<char, 65536> buffer{};
  for (std::size_t done = 0; fd.valid();) {
    if (done >= kAtOnce) return true;
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got > 0) {
      done += static_cast<std::size_t>(got);
      text.append(buffer.data(), static_cast<std::size_t>(got));
      if (text.size() >= 2 * kept) KeepTail(text, kept);
    } else if (got == 0) {
      fd.Close();
    } else if (errno != EINTR) {
      return false;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> CleanEnvironment() {
  std::vector<std::string> environment = {"LC_ALL=C"};
  for (const char* name : {"PATH", "HOME", "TZ", "LD_LIBRARY_PATH"}) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

Child::Child(const Command& command) : end_signal_(command.end_signal), kept_output_(command.kept_output) {
  std::vector<std::string> arguments = command.arguments;
  arguments.insert(arguments.begin(), command.program);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(command.environment);
  Pipe output = MakePipe();
  Pipe errors = MakePipe();
  const UniqueFd input = InputOf(command.input);
  if (access(command.program.c_str(), X_OK) != 0) ThrowErrno(errno, "execute", command.program);

  // No handler of this process may run in the child before it has execed.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    Exec(parent, input.get(), output.write_end.get(), errors.write_end.get(), command, argv.data(), envp.data());
  }
  const int fork_error = errno;
  if (pid_ > 0) {
    setpgid(pid_, pid_);
    Remember({pid_, end_signal_});
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid_ < 0) ThrowErrno(fork_error, "start", command.program);
  output_ = std::move(output.read_end);
  errors_ = std::move(errors.read_end);
}

Child::~Child() { Stop(); }

bool Child::Drain() {
  const bool more_output = ReadAvailable(output_, result_.output, kept_output_);
  const bool more_errors = ReadAvailable(errors_, result_.errors, kKeptErrors);
  return more_output || more_errors;
}

bool Child::Reap(bool block) {
  if (pid_ < 0) return true;
  int status = 0;
  if (block) {
    StopGroup({pid_, end_signal_}, steady_clock::now() + kGrace, &status);
  } else {
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
    if (kill_at_) kill(-pid_, SIGKILL);
  }
  result_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  Forget(pid_);
  pid_ = -1;
  return true;
}

void Child::Stop() {
  if (pid_ >= 0) Reap(true);
}

void Child::End() {
  if (pid_ < 0 || kill_at_) return;
  kill(-pid_, end_signal_);
  kill_at_ = steady_clock::now() + kGrace;
}

bool Child::Ended() {
  if (pid_ < 0) return true;
  if (kill_at_ && steady_clock::now() >= *kill_at_) kill(-pid_, SIGKILL);
  has_more_ = Drain();
  if (!Reap(false)) return false;
  Drain();
  KeepTail(result_.output, kept_output_);
  KeepTail(result_.errors, kKeptErrors);
  return true;
}

bool Child::WaitPiece(Waiter& waiter) {
  if (Ended()) return true;
  // Whichever pipe is still open wakes us at once when the child ends. While there is more to read, nothing is waited
  // for, but the waiter still looks whether the run has to stop.
  const int fd = output_.valid() ? output_.get() : errors_.get();
  waiter.Wait(fd, false, has_more_ ? milliseconds{0} : fd >= 0 ? kPiece : milliseconds{20});
  return Ended();
}

ChildResult RunCommand(const Command& command, Waiter& waiter) {
  Child child(command);
  while (!child.WaitPiece(waiter)) {
  }
  return child.result();
}

void StopAllChildren() {
  // All are asked before one is waited for.
  for (const Group& group : running_groups) {
    if (group.pid > 0) kill(-group.pid, group.end_signal);
  }
  const auto deadline = steady_clock::now() + kGrace;
  for (const Group& group : running_groups) {
    if (group.pid > 0) {
      int status = 0;
      StopGroup(group, deadline, &status);
    }
  }
  running_groups = {};
}

}  // namespace mfi::os
