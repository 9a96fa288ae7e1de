#include "os/process/niceness.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "os/base/file.h"
#include "support.h"

namespace {

using namespace mfi::os;
using mfi::test::Eventually;
using mfi::test::Forked;

constexpr pid_t kNoProcess = 0x3fffffff;  // above what a kernel gives

/// What the scheduler makes of a process: its niceness, and that of its session's group where there are such groups.
std::string NicenessOf(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/autogroup";
  const std::string group = Exists(path) ? ReadFile(path) : "";
  return std::to_string(getpriority(PRIO_PROCESS, static_cast<id_t>(pid))) +
         (group.empty() ? " nice 7\n" : group.substr(group.find(" nice")));
}

/// As a server process: with a session of its own.
class Session : public Forked {
 public:
  Session()
      : Forked([] {
          setsid();
          for (;;) pause();
          return 0;
        }) {
    EXPECT_TRUE(Eventually([&] { return getsid(pid()) == pid(); }));
  }
};

/// The slice in the kernel's sched_attr; 0 where it knows none (before Linux 6.12).
std::uint64_t SliceOf(pid_t pid) {
  std::array<std::uint64_t, 6> attributes{};
  EXPECT_EQ(syscall(SYS_sched_getattr, pid, attributes.data(), sizeof(attributes), 0), 0);
  return attributes[3];
}

TEST(Niceness, LetsOthersGoBeforeAProcess) {
  const Session session;
  const std::uint64_t slice = SliceOf(session.pid());
  GiveWay(session.pid(), 7);
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(session.pid())), 7);
  EXPECT_EQ(sched_getscheduler(session.pid()), SCHED_BATCH);
  EXPECT_EQ(SliceOf(session.pid()), slice == 0 ? 0U : 100'000U);
}

TEST(Niceness, PassesToWhatAProcessStarts) {
  Forked both([] {
    GiveWay(0, 7);
    Forked child([] { return getpriority(PRIO_PROCESS, 0) == 7 && sched_getscheduler(0) == SCHED_BATCH ? 0 : 1; });
    return child.Wait();
  });
  EXPECT_EQ(both.Wait(), 0);
}

TEST(Niceness, IsThatOfTheProcessAndOfItsSession) {
  const Session session;
  EXPECT_TRUE(Eventually([&] { return Renice(session.pid(), 7); }));
  EXPECT_EQ(NicenessOf(session.pid()), "7 nice 7\n");
  EXPECT_TRUE(Renice(session.pid(), 7));
}

TEST(Niceness, ReachesEveryChildOfAProcess) {
  const Session one;
  const Session other;
  EXPECT_TRUE(Eventually([&] {
    ReniceDescendants(getpid(), 7);
    return NicenessOf(one.pid()) == "7 nice 7\n" && NicenessOf(other.pid()) == "7 nice 7\n";
  }));
}

TEST(Niceness, OfZeroChangesNothing) {
  const Session session;
  GiveWay(session.pid(), 0);
  EXPECT_TRUE(Renice(session.pid(), 0));
  EXPECT_EQ(sched_getscheduler(session.pid()), sched_getscheduler(0));
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(session.pid())), getpriority(PRIO_PROCESS, 0));
}

TEST(Niceness, OfWhatIsGoneIsNoConcern) {
  EXPECT_TRUE(Renice(kNoProcess, 7));
  ReniceDescendants(kNoProcess, 7);
}

}  // namespace
