#include "os/base/directory_owner.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "core/base/error.h"

namespace mfi::os {
namespace {

using core::Error;

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

std::string UserName(uid_t uid) {
  std::array<char, 4096> buffer{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::to_string(uid) : found->pw_name;
}

/// A path as a word of a shell command.
std::string Word(const std::string& path) {
  constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:@%";
  if (path.find_first_not_of(kPlain) == std::string::npos) return path;
  std::string quoted = "'";
  for (const char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string Octal(unsigned mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return text.data();
}

[[noreturn]] void Refuse(const std::string& why, const std::string& because, const std::string& command) {
  throw Error(core::sqlstate::kObjectNotInPrerequisiteState, why, because, "As root: " + command);
}

struct stat StatusOf(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) != 0) ThrowErrno(errno, "read the status of", path);
  return status;
}

/// A group of the server's own user is not taken for others on the way; nor is what root has given to a group.
bool OthersRename(const struct stat& status) {
  if ((status.st_mode & S_ISVTX) != 0) return false;
  if ((status.st_mode & S_IWOTH) != 0) return true;
  return (status.st_mode & S_IWGRP) != 0 && status.st_gid != getegid() && status.st_gid != 0 && status.st_uid != 0;
}

}  // namespace

std::string RealPath(const std::string& path) {
  struct Free {
    void operator()(char* text) const { std::free(text); }  // NOLINT: realpath allocates with malloc
  };
  const std::unique_ptr<char, Free> resolved(realpath(path.c_str(), nullptr));
  return resolved ? resolved.get() : path;
}

void CheckOwned(const Directory& directory, const std::string& what, unsigned mended_mode) {
  const struct stat status = StatusOf(directory.fd(), directory.path());
  const std::string named = what + " \"" + directory.path() + "\"";
  const std::string path = Word(directory.path());
  const std::string mode = Octal(mended_mode).substr(1);
  const std::string own = UserName(geteuid());
  const std::string command = "chown " + own + " " + path + " && chmod " + mode + " " + path;
  if (status.st_uid != geteuid()) {
    Refuse(named + " belongs to the user " + UserName(status.st_uid) + ", not to " + own + ", which runs the server",
           "Its owner could swap what is written, read and deleted there.", command);
  }
  if ((status.st_mode & kOthersWrite) != 0) {
    Refuse(named + " may be written to by others (mode " + Octal(status.st_mode) + ")",
           "They could swap what is written, read and deleted there.", "chmod " + mode + " " + path);
  }
}

void CheckWayTo(const std::string& path, const std::string& what) {
  std::string above = RealPath(path);
  while (above.size() > 1) {
    above.erase(above.rfind('/') == 0 ? 1 : above.rfind('/'));
    struct stat status {};
    if (stat(above.c_str(), &status) != 0) ThrowErrno(errno, "read the status of", above);
    if (!OthersRename(status)) continue;
    Refuse(what + " \"" + path + "\" can be renamed by others, who may write to \"" + above + "\" (mode " +
               Octal(status.st_mode) + ")",
           "They could put another directory in its place.", "chmod go-w " + Word(above));
  }
}

void CheckScratchParent(const std::string& path) {
  const std::string what = "mfi.scratch_directory";
  const Directory directory = Directory::OpenConfigured(path);
  const struct stat status = StatusOf(directory.fd(), path);
  const bool like_tmp = (status.st_mode & S_ISVTX) != 0 && (status.st_uid == 0 || status.st_uid == geteuid());
  if (!like_tmp) CheckOwned(directory, what, 0700);
  CheckWayTo(path, what);
}

}  // namespace mfi::os
