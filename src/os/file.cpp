#include "os/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "core/error.h"

namespace mfi::os {
namespace {

const char* SqlstateOf(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return core::sqlstate::kUndefinedFile;
    case ENOSPC:
    case EDQUOT:
      return core::sqlstate::kDiskFull;
    case EACCES:
    case EPERM:
    case EROFS:
      return core::sqlstate::kInsufficientPrivilege;
    default:
      return core::sqlstate::kIoError;
  }
}

std::string HintFor(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "Free some space on that file system.";
    case EACCES:
    case EPERM:
      return "The operating system user that runs PostgreSQL needs the right to do this.";
    case EROFS:
      return "The file system is mounted read-only.";
    default:
      return {};
  }
}

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

std::string Parent(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

struct stat Status(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) ThrowErrno(errno, "read the status of", path);
  return status;
}

/// Calls `visit(path, status)` for everything below `path` and for `path` itself, children first.
template <typename Visit>
void Walk(const std::string& path, const Visit& visit) {
  const struct stat status = Status(path);
  if (S_ISDIR(status.st_mode)) {
    for (const std::string& name : ListDirectory(path)) {
      std::string child = path;
      child.append("/").append(name);
      Walk(child, visit);
    }
  }
  visit(path, status);
}

/// Every regular file below `path`, which others may be changing: when one goes away meanwhile, the rest is left out.
template <typename Visit>
void WalkRegularFiles(const std::string& path, const Visit& visit) {
  try {
    Walk(path, [&](const std::string& entry, const struct stat& status) {
      if (S_ISREG(status.st_mode)) visit(entry, status);
    });
  } catch (const core::Error& error) {
    if (error.sqlstate() != core::sqlstate::kUndefinedFile) throw;
  }
}

void WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      ThrowErrno(errno, "write", path);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int UniqueFd::Release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void UniqueFd::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void ThrowErrno(int error_number, const std::string& what, const std::string& path) {
  throw core::Error(SqlstateOf(error_number),
                    "could not " + what + " \"" + path + "\": " + std::generic_category().message(error_number), {},
                    HintFor(error_number));
}

bool Exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::int64_t FileSize(const std::string& path) { return Status(path).st_size; }

std::int64_t TreeSize(const std::string& path) {
  std::int64_t total = 0;
  WalkRegularFiles(path, [&](const std::string&, const struct stat& status) { total += status.st_size; });
  return total;
}

void BeginWriteback(const std::string& path) {
  WalkRegularFiles(path, [](const std::string& entry, const struct stat&) {
    const UniqueFd fd(open(entry.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (fd.valid()) sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  });
}

std::int64_t FreeSpace(const std::string& path) {
  struct statvfs status {};
  if (statvfs(path.c_str(), &status) != 0) ThrowErrno(errno, "read the free space of", path);
  return static_cast<std::int64_t>(status.f_bavail) * static_cast<std::int64_t>(status.f_frsize);
}

std::string ReadFile(const std::string& path, std::int64_t limit) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) ThrowErrno(errno, "open", path);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) ThrowErrno(errno, "read the status of", path);
  if (!S_ISREG(status.st_mode)) throw core::Error(core::sqlstate::kIoError, "\"" + path + "\" is not a regular file");
  std::string content;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0) {
      if (errno == EINTR) continue;
      ThrowErrno(errno, "read", path);
    }
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (static_cast<std::int64_t>(content.size()) > limit) {
      throw core::Error(core::sqlstate::kIoError,
                        "\"" + path + "\" is larger than " + std::to_string(limit) + " bytes");
    }
  }
}

void WriteFileAtomically(const std::string& path, std::string_view content, unsigned mode) {
  const std::string temporary = path + ".tmp";
  {
    const UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd.valid()) ThrowErrno(errno, "create", temporary);
    if (fchmod(fd.get(), mode) != 0) ThrowErrno(errno, "set the mode of", temporary);
    WriteAll(fd.get(), content, temporary);
    if (fsync(fd.get()) != 0) ThrowErrno(errno, "fsync", temporary);
  }
  Rename(temporary, path);
}

void MakeDirectory(const std::string& path, unsigned mode) {
  if (mkdir(path.c_str(), mode) != 0) ThrowErrno(errno, "create the directory", path);
  if (chmod(path.c_str(), mode) != 0) ThrowErrno(errno, "set the mode of", path);
}

void Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) ThrowErrno(errno, "rename \"" + from + "\" to", to);
  FsyncDirectory(Parent(to));
}

void ReplaceSymlink(const std::string& path, const std::string& target) {
  const std::string temporary = path + ".tmp";
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", temporary);
  if (symlink(target.c_str(), temporary.c_str()) != 0) ThrowErrno(errno, "create the link", temporary);
  Rename(temporary, path);
}

void FsyncFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) ThrowErrno(errno, "open", path);
  if (fsync(fd.get()) != 0) ThrowErrno(errno, "fsync", path);
}

void FsyncDirectory(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) ThrowErrno(errno, "open the directory", path);
  // Some file systems cannot fsync a directory and say EINVAL: nothing more can be done there.
  if (fsync(fd.get()) != 0 && errno != EINVAL) ThrowErrno(errno, "fsync the directory", path);
}

void FsyncTree(const std::string& path) {
  Walk(path, [](const std::string& entry, const struct stat& status) {
    if (S_ISREG(status.st_mode)) FsyncFile(entry);
    if (S_ISDIR(status.st_mode)) FsyncDirectory(entry);
  });
}

void RemoveTree(const std::string& path) {
  if (!Exists(path)) return;
  Walk(path, [](const std::string& entry, const struct stat& status) {
    const int result = S_ISDIR(status.st_mode) ? rmdir(entry.c_str()) : unlink(entry.c_str());
    if (result != 0 && errno != ENOENT) ThrowErrno(errno, "remove", entry);
  });
}

std::vector<std::string> ListDirectory(const std::string& path) {
  const std::unique_ptr<DIR, CloseDir> dir(opendir(path.c_str()));
  if (!dir) ThrowErrno(errno, "open the directory", path);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(dir.get());  // NOLINT(concurrency-mt-unsafe): each caller has its own DIR
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) ThrowErrno(errno, "read the directory", path);
  std::sort(names.begin(), names.end());
  return names;
}

void ChangeModes(const std::string& path, unsigned file_mode, unsigned directory_mode) {
  Walk(path, [&](const std::string& entry, const struct stat& status) {
    if (S_ISLNK(status.st_mode)) return;
    const unsigned mode = S_ISDIR(status.st_mode) ? directory_mode : file_mode;
    if (chmod(entry.c_str(), mode) != 0) ThrowErrno(errno, "set the mode of", entry);
  });
}

FileLock::FileLock(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) ThrowErrno(errno, "open", path);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
    fd_ = std::move(fd);
  } else if (errno != EWOULDBLOCK) {
    ThrowErrno(errno, "lock", path);
  }
}

}  // namespace mfi::os
