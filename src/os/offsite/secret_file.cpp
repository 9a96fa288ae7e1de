#include "os/offsite/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "os/base/directory.h"

namespace mfi::os {

std::string ReadSecretFile(const std::string& path, const std::string& what, std::int64_t limit) {
  const UniqueFd file = OpenRegular(AT_FDCWD, path, path);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) ThrowErrno(errno, "read", path);
  const bool own = status.st_uid == geteuid() && (status.st_mode & 077U) == 0;
  const bool of_root = status.st_uid == 0 && (status.st_mode & 037U) == 0;
  if (!own && !of_root) {
    throw core::Error(core::sqlstate::kInsufficientPrivilege,
                      what + " \"" + path + "\" can be read or changed by others", {},
                      "As root: chown the server's operating system user '" + path + "' && chmod 600 '" + path + "'.");
  }
  return ReadAll(file.get(), path, limit);
}

}  // namespace mfi::os
