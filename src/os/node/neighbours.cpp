#include "os/node/neighbours.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/base/error.h"
#include "os/base/file.h"

namespace mfi::os {
namespace {

constexpr std::int64_t kLongestPidFile = 4096;

bool SameDirectory(const std::string& one, const std::string& other) {
  struct stat a {};
  struct stat b {};
  return stat(one.c_str(), &a) == 0 && stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// The first eight bytes of pg_control, in the machine's order.
std::string SystemIdentifierOf(const std::string& data) {
  std::uint64_t system = 0;
  const UniqueFd fd(open((data + "/global/pg_control").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid() || read(fd.get(), &system, sizeof(system)) != sizeof(system)) return {};
  return std::to_string(system);
}

/// Whether the process is the one that holds the data directory: its lock file has the number, in single-user mode with
/// a minus.
bool Holds(const std::string& data, const std::string& process) {
  const std::string file = data + "/postmaster.pid";
  if (!Exists(file)) return false;
  const long holder = std::strtol(ReadFile(file, kLongestPidFile).c_str(), nullptr, 10);
  return std::labs(holder) == std::strtol(process.c_str(), nullptr, 10);
}

}  // namespace

std::vector<std::string> PrimariesHere(const std::string& system_identifier, const std::string& own) {
  std::vector<std::string> found;
  for (const std::string& process : ListDirectory("/proc")) {
    if (process.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string data = "/proc/" + process + "/cwd";
    try {
      if (SystemIdentifierOf(data) != system_identifier || !Holds(data, process) || Exists(data + "/standby.signal") ||
          SameDirectory(data, own)) {
        continue;
      }
      char* real = realpath(data.c_str(), nullptr);
      found.emplace_back(real == nullptr ? data : real);
      free(real);  // NOLINT(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): realpath's
    } catch (const core::Error&) {
      continue;  // it has ended meanwhile
    }
  }
  return found;
}

}  // namespace mfi::os
