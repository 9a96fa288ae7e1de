#include "command/node/node_own.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"
#include "os/base/file.h"

namespace mfi::command {

void OwnDirectory(const std::string& path, uid_t user, unsigned mode) {
  const os::UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) os::ThrowErrno(errno, "open directory", path);
  struct stat status {};
  if (fstat(directory.get(), &status) != 0) os::ThrowErrno(errno, "look at directory", path);
  if (status.st_uid != user && fchown(directory.get(), user, static_cast<gid_t>(-1)) != 0) {
    os::ThrowErrno(errno, "change the owner of directory", path);
  }
  if ((status.st_mode & 07777U) != mode && fchmod(directory.get(), mode) != 0) {
    os::ThrowErrno(errno, "change the permissions of directory", path);
  }
}

uid_t UserNumber(const std::string& name) {
  const passwd* user = getpwnam(name.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  if (user == nullptr) throw core::Error(core::sqlstate::kInvalidParameterValue, "there is no user \"" + name + "\"");
  return user->pw_uid;
}

}  // namespace mfi::command
