#include "os/base/unforeseen.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "core/base/error.h"

namespace mfi::os {
namespace {

using core::Error;

constexpr std::string_view kUnforeseen = "XXXXXX";  // mkdtemp's

/// Whether `name` is one that MakeUnforeseen has made of `beginning`.
bool IsMadeOf(const std::string& beginning, const std::string& name) {
  return name.size() == beginning.size() + kUnforeseen.size() && name.starts_with(beginning) &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(beginning.size()), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0; });
}

}  // namespace

std::string MakeUnforeseen(std::string beginning) {
  beginning += kUnforeseen;
  if (mkdtemp(beginning.data()) == nullptr) ThrowErrno(errno, "create the directory", beginning);
  return beginning;
}

UniqueFd LockOwnDirectory(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || fstat(fd.get(), &status) != 0 || status.st_uid != geteuid()) return {};
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return {};
  return fd;
}

void RemoveUnforeseenLeftovers(const std::string& parent, const std::string& beginning) {
  if (!IsDirectory(parent)) return;
  std::optional<Error> failure;
  for (const std::string& name : ListDirectory(parent)) {
    if (!IsMadeOf(beginning, name)) continue;
    try {
      const std::string path = parent + "/" + name;
      if (const UniqueFd locked = LockOwnDirectory(path); locked.valid()) RemoveTree(path);
    } catch (const Error& error) {
      failure = error;
    }
  }
  if (failure) throw Error(*failure);
}

UnforeseenDirectory::UnforeseenDirectory(const std::string& beginning)
    : path_(MakeUnforeseen(beginning)), lock_(LockOwnDirectory(path_)) {}

UnforeseenDirectory::~UnforeseenDirectory() {
  try {
    RemoveTree(path_);
  } catch (const Error&) {
    // Whoever looks for leftovers removes what is left of it.
  }
}

}  // namespace mfi::os
