#include "os/base/configured_directory.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"
#include "os/base/directory.h"
#include "os/base/directory_owner.h"
#include "os/base/file.h"

namespace mfi::os {
namespace {

bool IsInside(const std::string& path, const std::string& directory) {
  return path == directory || path.rfind(directory + "/", 0) == 0;
}

}  // namespace

void CheckConfigured(const ConfiguredDirectory& directory, const std::string& data_directory) {
  namespace state = core::sqlstate;
  using core::Error;
  const std::string& path = directory.path;
  const std::string named = directory.what + " \"" + path + "\"";
  const std::string hint =
      "Set " + directory.setting + " to a directory that the server's operating system user can write to.";
  if (path.empty()) {
    throw Error(state::kObjectNotInPrerequisiteState, directory.setting + " is not set, so " + directory.off, {}, hint);
  }
  if (path.front() != '/') {
    throw Error(state::kConfigFile, directory.setting + " \"" + path + "\" is not an absolute path", {}, hint);
  }
  if (!Exists(path)) {
    throw Error(state::kUndefinedFile, named + " does not exist", {},
                "Create it, owned by the operating system user that runs PostgreSQL, or mount its file system.");
  }
  if (!IsDirectory(path)) throw Error(state::kConfigFile, named + " is not a directory", {}, hint);
  if (IsInside(RealPath(path), RealPath(data_directory))) {
    throw Error(state::kConfigFile, named + " is inside the data directory", directory.lost, hint);
  }
  CheckOwned(Directory::OpenConfigured(path), directory.what, 0750);
  CheckWayTo(path, directory.what);
  if (access(path.c_str(), R_OK | W_OK | X_OK) != 0) ThrowErrno(errno, "write to " + directory.what, path);
}

}  // namespace mfi::os
