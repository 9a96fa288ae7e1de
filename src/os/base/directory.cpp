#include "os/base/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace mfi::os {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK;

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

[[noreturn]] void NotRegular(const std::string& shown) {
  throw core::Error(core::sqlstate::kIoError, "\"" + core::Printable(shown) + "\" is not a regular file");
}

/// Cuts the first part off `name`; false when there is none that may be used.
bool TakePart(std::string& name, std::string& part) {
  const auto slash = name.find('/');
  part = name.substr(0, slash);
  name = slash == std::string::npos ? "" : name.substr(slash + 1);
  return !part.empty() && part != "." && part != ".." && (slash == std::string::npos || !name.empty());
}

}  // namespace

Directory Directory::OpenAt(int parent, const std::string& name, std::string shown, int flags) {
  UniqueFd fd(openat(parent, name.c_str(), kDirectoryFlags | flags));
  if (!fd.valid()) ThrowErrno(errno, "open the directory", shown);
  return {std::move(fd), std::move(shown)};
}

Directory Directory::Open(const std::string& path) { return OpenAt(AT_FDCWD, path, path, O_NOFOLLOW); }

Directory Directory::OpenConfigured(const std::string& path) { return OpenAt(AT_FDCWD, path, path, 0); }

Directory Directory::Below(const std::string& name) const {
  std::string rest = name;
  std::string part;
  std::optional<Directory> found;
  do {
    const Directory& parent = found ? *found : *this;
    if (!TakePart(rest, part)) ThrowErrno(ENOENT, "open the directory", path_ + "/" + name);
    found = OpenAt(parent.fd(), part, parent.path() + "/" + part, O_NOFOLLOW);
  } while (!rest.empty());
  return std::move(*found);
}

UniqueFd Directory::OpenFile(const std::string& name) const {
  const auto slash = name.rfind('/');
  if (slash != std::string::npos) return Below(name.substr(0, slash)).OpenFile(name.substr(slash + 1));
  return OpenRegular(fd(), name, path_ + "/" + name);
}

std::string Directory::Read(const std::string& name, std::int64_t limit) const {
  const UniqueFd file = OpenFile(name);
  return ReadAll(file.get(), path_ + "/" + name, limit);
}

std::optional<struct stat> Directory::Status(const std::string& name) const {
  struct stat status {};
  if (fstatat(fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  ThrowErrno(errno, "read the status of", path_ + "/" + name);
}

void Directory::WriteAtomically(const std::string& name, std::string_view content, unsigned mode) const {
  const std::string temporary = name + ".tmp";
  const std::string shown = path_ + "/" + name;
  WriteNewFile(fd(), temporary, shown + ".tmp", content, mode);
  if (renameat(fd(), temporary.c_str(), fd(), name.c_str()) != 0) {
    ThrowErrno(errno, "rename \"" + shown + ".tmp\" to", shown);
  }
  if (fsync(fd()) != 0 && errno != EINVAL) ThrowErrno(errno, "fsync the directory", path_);
}

std::vector<std::string> Directory::Names() const { return NamesIn(fd(), path_); }

UniqueFd OpenRegular(int directory, const std::string& name, const std::string& shown) {
  struct stat status {};
  // Asked before it is opened, because opening alone moves some devices.
  if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) ThrowErrno(errno, "open", shown);
  if (!S_ISREG(status.st_mode)) NotRegular(shown);
  UniqueFd fd(openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) ThrowErrno(errno, "open", shown);
  if (fstat(fd.get(), &status) != 0) ThrowErrno(errno, "read the status of", shown);
  if (!S_ISREG(status.st_mode)) NotRegular(shown);
  return fd;
}

std::string ReadAll(int fd, const std::string& shown, std::int64_t limit) {
  const auto refuse = [&] {
    throw core::Error(core::sqlstate::kIoError,
                      "\"" + core::Printable(shown) + "\" is larger than " + std::to_string(limit) + " bytes");
  };
  struct stat status {};
  if (fstat(fd, &status) != 0) ThrowErrno(errno, "read the status of", shown);
  if (status.st_size > limit) refuse();
  std::string content;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0) {
      if (errno == EINTR) continue;
      ThrowErrno(errno, "read", shown);
    }
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (static_cast<std::int64_t>(content.size()) > limit) refuse();
  }
}

std::vector<std::string> NamesIn(int directory, const std::string& shown) {
  // One of its own, because a DIR closes its descriptor; not a duplicate, which would share the position.
  UniqueFd own(openat(directory, ".", kDirectoryFlags));
  const std::unique_ptr<DIR, CloseDir> dir(own.valid() ? fdopendir(own.get()) : nullptr);
  if (!dir) ThrowErrno(errno, "open the directory", shown);
  own.Release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(dir.get());  // NOLINT(concurrency-mt-unsafe): each caller has its own DIR
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) ThrowErrno(errno, "read the directory", shown);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace mfi::os
