#include "os/process/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <sstream>

#include "os/process/child.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;

bool Reads(const std::string& path) { return UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC)).valid(); }

/// What somebody else's machine looks like from inside: files beside the sandbox's own, sockets, this process.
class SandboxTest : public testing::Test {
 protected:
  SandboxTest() {
    MakeDirectory(own_, 0700);
    MakeDirectory(outside_, 0700);
    MakeDirectory(sockets_, 0700);
    Write(sockets_ + "/socket", "");
    Write(outside_ + "/file", "data of others");
    Write(own_ + "/marked", "");
    setxattr((own_ + "/marked").c_str(), "user.old", "y", 1, 0);
    local_ = Listen(AF_UNIX, Local(outside_ + "/socket"), sizeof(sockaddr_un));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    tcp_ = Listen(AF_INET, any, sizeof(any));
    socklen_t size = sizeof(address_);
    getsockname(tcp_.get(), reinterpret_cast<sockaddr*>(&address_), &size);
  }

  ~SandboxTest() override {
    shmctl(segment_, IPC_RMID, nullptr);
    semctl(semaphores_, 0, IPC_RMID);
    msgctl(queue_, IPC_RMID, nullptr);
  }

  static sockaddr_un Local(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return address;
  }

  template <typename Address>
  static UniqueFd Listen(int family, const Address& address, socklen_t size) {
    UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd.get(), 5), 0);
    return fd;
  }

  template <typename Address>
  static bool Connects(int family, const Address& address) {
    const UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return fd.valid() && connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  bool SendsDatagram() const {
    const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return fd.valid() &&
           sendto(fd.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)) == 1;
  }

  static bool Executes(const char* program) {
    const pid_t pid = fork();
    if (pid == 0) {
      execl(program, program, "-c", "exit 0", nullptr);
      _exit(99);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  struct Escape {
    std::string name;
    std::function<bool()> succeeds;
  };

  /// Whether `call` succeeds with a descriptor of something that is the sandbox's own.
  template <typename Call>
  static bool With(const std::string& path, const Call& call) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return fd.valid() && call(fd.get()) == 0;
  }

  /// Whether shared memory can be made so; it is removed again.
  static bool MakesSegment(std::size_t size, int flags) {
    const int id = shmget(IPC_PRIVATE, size, flags);
    return id >= 0 && shmctl(id, IPC_RMID, nullptr) == 0;
  }

  /// The System V objects of others of the same user, and new ones of its own that others could reach.
  std::vector<Escape> SystemVEscapes() {
    const int segment = segment_;
    const int semaphores = semaphores_;
    const int queue = queue_;
    const key_t key = key_;
    return {
        {"share memory with everybody", [] { return MakesSegment(4096, IPC_CREAT | IPC_EXCL | 0666); }},
        {"share memory with the group", [] { return MakesSegment(4096, IPC_CREAT | IPC_EXCL | 0640); }},
        {"share much memory", [] { return MakesSegment(1 << 20, IPC_CREAT | IPC_EXCL | 0600); }},
        {"find shared memory", [=] { return shmget(key, 0, 0) >= 0; }},
        {"find or make shared memory", [=] { return shmget(key, 56, IPC_CREAT | 0600) >= 0; }},
        {"look at shared memory",
         [=] {
           shmid_ds status{};
           return shmctl(segment, IPC_STAT, &status) == 0;
         }},
        {"open shared memory to all",
         [=] {
           shmid_ds status{};
           status.shm_perm.uid = geteuid();
           status.shm_perm.gid = getegid();
           status.shm_perm.mode = 0666;
           return shmctl(segment, IPC_SET, &status) == 0;
         }},
        {"lock shared memory", [=] { return shmctl(segment, SHM_LOCK, nullptr) == 0; }},
        {"unlock shared memory", [=] { return shmctl(segment, SHM_UNLOCK, nullptr) == 0; }},
        {"make semaphores",
         [] {
           const int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
           return id >= 0 && semctl(id, 0, IPC_RMID) == 0;
         }},
        {"change a semaphore",
         [=] {
           sembuf up{.sem_num = 0, .sem_op = 1, .sem_flg = IPC_NOWAIT};
           return semop(semaphores, &up, 1) == 0;
         }},
        {"change a semaphore in time",
         [=] {
           sembuf up{.sem_num = 0, .sem_op = 1, .sem_flg = IPC_NOWAIT};
           const timespec limit{};
           return semtimedop(semaphores, &up, 1, &limit) == 0;
         }},
        {"remove semaphores", [=] { return semctl(semaphores, 0, IPC_RMID) == 0; }},
        {"make a queue",
         [] {
           const int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
           return id >= 0 && msgctl(id, IPC_RMID, nullptr) == 0;
         }},
        {"send to a queue",
         [=] {
           const long message[2] = {1, 0};
           return msgsnd(queue, message, 1, IPC_NOWAIT) == 0;
         }},
        {"take from a queue",
         [=] {
           long message[2] = {1, 0};
           msgsnd(queue, message, 1, IPC_NOWAIT);
           return msgrcv(queue, message, 1, 0, IPC_NOWAIT) == 1;
         }},
        {"remove a queue", [=] { return msgctl(queue, IPC_RMID, nullptr) == 0; }},
    };
  }

  /// Ways out, each of which succeeds for a process without a sandbox.
  std::vector<Escape> Escapes() {
    const pid_t parent = getpid();
    const std::string file = outside_ + "/file";
    const auto process = "/proc/" + std::to_string(parent);
    std::vector<Escape> escapes = {
        {"connect to a server's socket", [=, this] { return Connects(AF_UNIX, Local(outside_ + "/socket")); }},
        {"connect by TCP", [this] { return Connects(AF_INET, address_); }},
        {"send a datagram", [this] { return SendsDatagram(); }},
        {"read a file", [=] { return Reads(file); }},
        {"write a file", [=] { return UniqueFd(open(file.c_str(), O_WRONLY | O_CLOEXEC)).valid(); }},
        {"truncate a file", [=] { return truncate(file.c_str(), 3) == 0; }},
        {"make a file",
         [this] { return UniqueFd(open((outside_ + "/new").c_str(), O_WRONLY | O_CREAT, 0600)).valid(); }},
        {"make a link", [this] { return symlink("/", (outside_ + "/link").c_str()) == 0; }},
        {"take a file in", [=, this] { return link(file.c_str(), (own_ + "/taken").c_str()) == 0; }},
        {"list a directory", [this] { return UniqueFd(open(outside_.c_str(), O_RDONLY | O_DIRECTORY)).valid(); }},
        {"give a file away", [=] { return chown(file.c_str(), geteuid(), getegid()) == 0; }},
        {"mark a file", [=] { return setxattr(file.c_str(), "user.x", "y", 1, 0) == 0; }},
        {"write shared memory",
         [] {
           const std::string path = "/dev/shm/mfi-unit-" + std::to_string(getpid());
           const bool made = UniqueFd(open(path.c_str(), O_RDWR | O_CREAT, 0600)).valid();
           unlink(path.c_str());
           return made;
         }},
        {"read a process's memory", [=] { return Reads(process + "/mem"); }},
        {"read a process's environment", [=] { return Reads(process + "/environ"); }},
        {"signal a process", [=] { return kill(parent, 0) == 0 && kill(parent, SIGCONT) == 0; }},
        {"limit a process",
         [=] {
           rlimit limit{};
           return syscall(SYS_prlimit64, parent, RLIMIT_CORE, nullptr, &limit) == 0;
         }},
        {"take a process's descriptor", [=] { return UniqueFd(static_cast<int>(syscall(434, parent, 0))).valid(); }},
        {"slow a process down", [=] { return setpriority(PRIO_PROCESS, static_cast<id_t>(parent), 0) == 0; }},
        {"run a shell", [] { return Executes("/bin/sh"); }},
        {"open its directory to all",
         [this] { return With(own_, [](int fd) { return fchmod(fd, 0777); }) && ModeOf(own_) == 0777; }},
        {"make a program run as its user",
         [this] { return With(own_ + "/marked", [](int fd) { return fchmod(fd, 06755); }); }},
        {"give a file of its own away",
         [this] { return With(own_ + "/marked", [](int fd) { return fchown(fd, geteuid(), getegid()); }); }},
        {"mark a file of its own",
         [this] { return With(own_ + "/marked", [](int fd) { return fsetxattr(fd, "user.x", "y", 1, 0); }); }},
        {"take a mark off",
         [this] { return With(own_ + "/marked", [](int fd) { return fremovexattr(fd, "user.old"); }); }},
    };
    escapes.push_back({"put another socket into a socket's place", [this] {
                         const std::string socket = sockets_ + "/socket";
                         return rename(socket.c_str(), (socket + ".old").c_str()) == 0 &&
                                rename((socket + ".old").c_str(), socket.c_str()) == 0;
                       }});
    escapes.push_back({"lead to a socket by a link", [this] {
                         const std::string link = sockets_ + "/link";
                         return symlink("elsewhere", link.c_str()) == 0 && unlink(link.c_str()) == 0;
                       }});
    for (Escape& escape : SystemVEscapes()) escapes.push_back(std::move(escape));
    return escapes;
  }

  /// Names of the escapes that succeed in a process that has entered the sandbox, each followed by a newline.
  std::string Escaped(const Sandbox& sandbox) {
    const std::vector<Escape> escapes = Escapes();
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd read_end(ends[0]);
    UniqueFd write_end(ends[1]);
    Forked child([&] {
      if (!sandbox.Enter()) return 1;
      for (const Escape& escape : escapes) {
        const std::string line = escape.name + "\n";
        if (escape.succeeds() && write(ends[1], line.data(), line.size()) < 0) return 2;
      }
      // What it may do, it can.
      const UniqueFd own(open((own_ + "/file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
      const UniqueFd made(open((sockets_ + "/made").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
      return own.valid() && made.valid() && ftruncate(own.get(), 10) == 0 &&
                     chmod((own_ + "/file").c_str(), 0644) == 0 && Reads("/usr/lib") && Reads("/dev/null") &&
                     shmctl(segment_, IPC_RMID, nullptr) == 0
                 ? 0
                 : 3;
    });
    EXPECT_EQ(child.Wait(), 0);
    write_end.Close();
    std::string text(4096, '\0');
    const ssize_t got = read(read_end.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

  SandboxRules Rules(int newest_landlock = 1000) const {
    return {.writable = {own_},
            .sockets = {sockets_},
            .readable = {"/usr/lib", "/lib", "/not there"},
            .newest_landlock = newest_landlock};
  }

  TempDirectory directory_;
  std::string own_ = directory_ / "own";
  std::string outside_ = directory_ / "outside";
  std::string sockets_ = directory_ / "sockets";
  UniqueFd local_;
  UniqueFd tcp_;
  sockaddr_in address_{};
  key_t key_ = static_cast<key_t>(0x6d666900 ^ getpid());
  int segment_ = shmget(key_, 56, IPC_CREAT | 0600);
  int semaphores_ = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
  int queue_ = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  TestHost host_;
};

TEST_F(SandboxTest, EachEscapeIsOneWithoutIt) {
  for (const Escape& escape : Escapes()) {
    Forked child([&] { return escape.succeeds() ? 0 : 1; });
    EXPECT_EQ(child.Wait(), 0) << escape.name;
  }
}

TEST_F(SandboxTest, LetsNothingOut) {
  const Sandbox sandbox(Rules());
  if (!sandbox.Lacking().empty()) {
    // This kernel's walls are not whole: that must be said, and is tested with what it has.
    EXPECT_NE(Escaped(sandbox), "");
    return;
  }
  EXPECT_EQ(Escaped(sandbox), "");
  EXPECT_EQ(ReadFile(outside_ + "/file"), "data of others");
  EXPECT_EQ(ModeOf(own_ + "/file"), 0600U) << "a mode is only said to be set";
  EXPECT_EQ(ModeOf(own_), 0700U);
  shmid_ds status{};
  EXPECT_EQ(shmctl(segment_, IPC_STAT, &status), 0) << "shared memory is only said to be removed";
  EXPECT_EQ(status.shm_perm.mode & 0777U, 0600U);
}

TEST_F(SandboxTest, SharedMemoryThatAProgramMadeEndsWithIt) {
  SandboxRules rules = Rules();
  rules.executable = {"/usr/bin", "/bin", "/usr/lib", "/lib", "/lib64"};
  const Sandbox sandbox(rules);
  const auto make = [&](const Sandbox* walls) {
    const ChildResult result =
        RunCommand({.program = "/usr/bin/perl",
                    .arguments = {"-e", "print join(' ', map { shmget(0, 56, 03600) // die $! } 1 .. 3)"},
                    .environment = CleanEnvironment(),
                    .sandbox = walls},
                   host_);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    std::istringstream ids(result.output);
    std::vector<int> made;
    for (int id = 0; ids >> id;) made.push_back(id);
    EXPECT_EQ(made.size(), 3U) << result.output;
    return made;
  };
  const auto exists = [](int id) {
    shmid_ds status{};
    return shmctl(id, IPC_STAT, &status) == 0;
  };
  const std::vector<int> before = make(nullptr);
  for (const int id : make(&sandbox)) EXPECT_FALSE(exists(id));
  EXPECT_TRUE(exists(segment_)) << "its maker lives";
  for (const int id : before) shmctl(id, IPC_RMID, nullptr);
}

TEST_F(SandboxTest, SaysWhatAnOlderKernelLacks) {
  EXPECT_EQ(Sandbox(Rules(5)).Lacking(), "the kernel's Landlock has version 5: signals are not walled off");
  EXPECT_EQ(Sandbox(Rules(2)).Lacking(),
            "the kernel's Landlock has version 2: truncating files and signals are not walled off");
  EXPECT_EQ(Sandbox(Rules(0)).Lacking(), "the kernel has no Landlock: files and signals are not walled off");
  for (const int version : {1, 2, 3, 4, 5}) {
    Write(outside_ + "/file", "data of others");
    const std::string escaped = Escaped(Sandbox(Rules(version)));
    EXPECT_EQ(escaped, version < 3 ? "truncate a file\nsignal a process\n" : "signal a process\n") << version;
  }
  // Without any Landlock the system calls are still filtered.
  const std::string without = Escaped(Sandbox(Rules(0)));
  EXPECT_EQ(without.find("connect"), std::string::npos) << without;
  EXPECT_EQ(without.find("datagram"), std::string::npos) << without;
}

TEST_F(SandboxTest, AllThatAProgramStartsEndsWithIt) {
  WriteScript(
      own_ + "/start",
      "setsid sh -c 'echo $$ >\"$0.part\"; mv \"$0.part\" \"$0\"; trap \"\" TERM HUP INT QUIT; exec tail -f "
      "/dev/null' \"$1\" &\nwhile [ ! -e \"$1\" ]; do :; done\n[ -z \"$2\" ] || exec tail -f /dev/null\nexit 7");
  SandboxRules rules = Rules();
  rules.executable = {own_, "/usr/bin", "/bin", "/usr/lib", "/lib", "/lib64"};
  const Sandbox sandbox(rules);
  const auto command = [&](const std::string& name, const std::string& stays) {
    return Command{.program = own_ + "/start",
                   .arguments = {own_ + "/" + name, stays},
                   .environment = CleanEnvironment(),
                   .end_signal = SIGQUIT,
                   .sandbox = &sandbox};
  };
  const auto told = [&](const std::string& name) {
    EXPECT_TRUE(Eventually([&] { return Exists(own_ + "/" + name); })) << name;
    return std::stoi(ReadFile(own_ + "/" + name));
  };
  EXPECT_EQ(RunCommand(command("ended", ""), host_).exit_code, 7);
  EXPECT_TRUE(IsGone(told("ended")));
  {
    const Child child(command("destroyed", "stays"));
    told("destroyed");
  }
  EXPECT_TRUE(IsGone(told("destroyed")));
  Forked parent([&] {
    const Child child(command("orphaned", "stays"));
    pause();
    return 0;
  });
  const pid_t orphan = told("orphaned");
  parent.Kill();
  parent.Wait();
  EXPECT_TRUE(Eventually([&] { return IsGone(orphan); }));
}

}  // namespace
