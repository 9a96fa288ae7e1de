#include "os/process/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace mfi::os {
namespace {

// The kernel's interface (linux/landlock.h), whole: the header of an older distribution knows a part of it.
constexpr std::uint64_t kExecute = 1U << 0U;
constexpr std::uint64_t kWriteFile = 1U << 1U;
constexpr std::uint64_t kReadFile = 1U << 2U;
constexpr std::uint64_t kReadDirectory = 1U << 3U;
constexpr std::uint64_t kMakeCharacterDevice = 1U << 6U;
constexpr std::uint64_t kMakeFile = 1U << 8U;
constexpr std::uint64_t kMakeSocket = 1U << 9U;
constexpr std::uint64_t kMakeBlockDevice = 1U << 11U;
constexpr std::uint64_t kOfFirstVersion = (1U << 13U) - 1;
constexpr std::uint64_t kRefer = 1U << 13U;
constexpr std::uint64_t kTruncate = 1U << 14U;
constexpr std::uint64_t kIoctlDevice = 1U << 15U;
constexpr std::uint64_t kTcp = 3;     // bind, connect
constexpr std::uint64_t kScopes = 3;  // abstract sockets, signals

constexpr int kWithRefer = 2;
constexpr int kWithTruncate = 3;
constexpr int kWithTcp = 4;
constexpr int kWithIoctl = 5;
constexpr int kWithScopes = 6;

constexpr long kRulePathBeneath = 1;
constexpr long kAskVersion = 1;

struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t rights;
  std::int32_t parent;
};

std::uint64_t FileRights(int version) {
  std::uint64_t rights = kOfFirstVersion;
  if (version >= kWithRefer) rights |= kRefer;
  if (version >= kWithTruncate) rights |= kTruncate;
  if (version >= kWithIoctl) rights |= kIoctlDevice;
  return rights;
}

std::size_t AttributesSize(int version) {
  if (version >= kWithScopes) return sizeof(RulesetAttributes);
  return version >= kWithTcp ? offsetof(RulesetAttributes, scopes) : offsetof(RulesetAttributes, network);
}

/// 0 where the kernel has no Landlock, or it is off.
int KernelVersion() {
  return static_cast<int>(std::max(0L, syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion)));
}

}  // namespace

Landlock::Landlock(const SandboxRules& rules) : version_(std::min(KernelVersion(), rules.newest_landlock)) {
  if (version_ == 0) return;
  const std::uint64_t all = FileRights(version_);
  const RulesetAttributes attributes{
      .files = all, .network = version_ >= kWithTcp ? kTcp : 0, .scopes = version_ >= kWithScopes ? kScopes : 0};
  ruleset_ = UniqueFd(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, AttributesSize(version_), 0)));
  if (!ruleset_.valid()) ThrowErrno(errno, "make", "the Landlock ruleset");
  const std::uint64_t read = kReadFile | kReadDirectory;
  for (const std::string& path : rules.readable) Allow(path, read);
  for (const std::string& path : rules.executable) Allow(path, read | kExecute);
  for (const std::string& path : rules.writable)
    Allow(path, all & ~(kMakeCharacterDevice | kMakeBlockDevice | kExecute));
  // Nothing is put into the place of a socket that others connect to.
  for (const std::string& path : rules.sockets) Allow(path, read | kWriteFile | kMakeFile | kMakeSocket);
  Allow("/dev/null", kReadFile | kWriteFile);
}

void Landlock::Allow(const std::string& path, unsigned long long rights) const {
  const UniqueFd opened(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!opened.valid()) {
    if (errno == ENOENT || errno == EACCES || errno == ENOTDIR) return;
    ThrowErrno(errno, "open", path);
  }
  struct stat status {};
  if (fstat(opened.get(), &status) != 0) ThrowErrno(errno, "read the status of", path);
  if (!S_ISDIR(status.st_mode)) rights &= kExecute | kReadFile | kWriteFile | kTruncate;
  const PathBeneath rule{.rights = rights & FileRights(version_), .parent = opened.get()};
  if (syscall(SYS_landlock_add_rule, ruleset_.get(), kRulePathBeneath, &rule, 0) != 0) {
    ThrowErrno(errno, "add a Landlock rule for", path);
  }
}

std::string Landlock::Lacking() const {
  if (version_ == 0) return "the kernel has no Landlock: files and signals are not walled off";
  if (version_ >= kWithScopes) return {};
  return "the kernel's Landlock has version " + std::to_string(version_) + ": " +
         (version_ < kWithTruncate ? "truncating files and signals are" : "signals are") + " not walled off";
}

bool Landlock::Enter() const { return version_ == 0 || syscall(SYS_landlock_restrict_self, ruleset_.get(), 0) == 0; }

}  // namespace mfi::os
