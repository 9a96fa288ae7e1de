#include "os/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/base/directory.h"

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
  // Others may have named it.
  throw core::Error(
      SqlstateOf(error_number),
      core::Printable("could not " + what + " \"" + path + "\": ") + std::generic_category().message(error_number), {},
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

bool OnSameDevice(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev;
}

std::int64_t FileSize(const std::string& path) { return Status(path).st_size; }

std::int64_t FreeSpace(const std::string& path) {
  struct statvfs status {};
  if (statvfs(path.c_str(), &status) != 0) ThrowErrno(errno, "read the free space of", path);
  return static_cast<std::int64_t>(status.f_bavail) * static_cast<std::int64_t>(status.f_frsize);
}

std::string ReadFile(const std::string& path, std::int64_t limit) {
  return ReadAll(OpenRegular(AT_FDCWD, path, path).get(), path, limit);
}

void WriteNewFile(int directory, const std::string& name, const std::string& shown, std::string_view content,
                  unsigned mode) {
  if (unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT && errno != ENOTDIR) {
    ThrowErrno(errno, "create", shown);
  }
  const UniqueFd fd(openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid()) ThrowErrno(errno, "create", shown);
  if (fchmod(fd.get(), mode) != 0) ThrowErrno(errno, "set the mode of", shown);
  WriteAll(fd.get(), content, shown);
  if (fsync(fd.get()) != 0) ThrowErrno(errno, "fsync", shown);
}

void WriteFileAtomically(const std::string& path, std::string_view content, unsigned mode) {
  const std::string temporary = path + ".tmp";
  WriteNewFile(AT_FDCWD, temporary, temporary, content, mode);
  Rename(temporary, path);
}

void MakeDirectory(const std::string& path, unsigned mode) {
  if (mkdir(path.c_str(), 0700) != 0) ThrowErrno(errno, "create the directory", path);
  if (fchmod(Directory::Open(path).fd(), mode) != 0) ThrowErrno(errno, "set the mode of", path);
}

void Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) ThrowErrno(errno, "rename \"" + from + "\" to", to);
  FsyncDirectory(Parent(to));
}

void ReplaceSymlink(const std::string& path, const std::string& target) {
  const std::string temporary = path + ".tmp";
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", temporary);
  if (symlink(target.c_str(), temporary.c_str()) != 0) ThrowErrno(errno, "create the link", temporary);
  try {
    Rename(temporary, path);
  } catch (const core::Error&) {
    unlink(temporary.c_str());
    throw;
  }
}

void FsyncFile(const std::string& path) {
  if (fsync(OpenRegular(AT_FDCWD, path, path).get()) != 0) ThrowErrno(errno, "fsync", path);
}

void FsyncDirectory(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) ThrowErrno(errno, "open the directory", path);
  // Some file systems cannot fsync a directory and say EINVAL: nothing more can be done there.
  if (fsync(fd.get()) != 0 && errno != EINVAL) ThrowErrno(errno, "fsync the directory", path);
}

std::vector<std::string> ListDirectory(const std::string& path) { return Directory::OpenConfigured(path).Names(); }

FileLock::FileLock(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!fd.valid()) ThrowErrno(errno, "open", path);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) ThrowErrno(errno, "read the status of", path);
  if (!S_ISREG(status.st_mode)) throw core::Error(core::sqlstate::kIoError, "\"" + path + "\" is not a regular file");
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
    fd_ = std::move(fd);
  } else if (errno != EWOULDBLOCK) {
    ThrowErrno(errno, "lock", path);
  }
}

}  // namespace mfi::os
