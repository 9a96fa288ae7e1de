#include "os/node/standby_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/node/settings_text.h"
#include "os/base/file.h"

namespace mfi::os {
namespace {

constexpr const char* kOwnFiles[] = {"postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf"};
constexpr unsigned kMode = 0600;

struct stat StatusOf(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) ThrowErrno(errno, "read the status of", path);
  return status;
}

void Remove(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", path);
}

void SyncFileSystemOf(const std::string& path) {
  const UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) ThrowErrno(errno, "open the directory", path);
  if (syncfs(directory.get()) != 0) ThrowErrno(errno, "sync the file system of", path);
}

}  // namespace

void KeepOwnFiles(const std::string& from, const std::string& to) {
  for (const std::string name : kOwnFiles) {
    const std::string path = from + "/" + name;
    if (!Exists(path)) continue;
    char* resolved = realpath(path.c_str(), nullptr);
    if (resolved == nullptr) ThrowErrno(errno, "find", path);
    const std::string real = resolved;
    free(resolved);  // NOLINT(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): realpath's
    WriteFileAtomically(to + "/" + name, ReadFile(real), StatusOf(real).st_mode & 07777U);
  }
}

void DropOwnSlots(const std::string& data) {
  const std::string slots = data + "/pg_replslot";
  for (const std::string& name : ListDirectory(slots)) RemoveTree(slots + "/" + name);
}

bool ReplaceSettings(const std::string& data, const std::vector<std::string>& names, const std::string& lines) {
  const std::string path = data + "/postgresql.auto.conf";
  const bool exists = Exists(path);
  const std::string before = exists ? ReadFile(path) : "";
  std::string after = core::WithoutSettings(before, names);
  const bool had = after != before;
  if (!had && lines.empty()) return false;
  if (!after.empty() && after.back() != '\n' && !lines.empty()) after += '\n';
  WriteFileAtomically(path, after + lines, exists ? StatusOf(path).st_mode & 07777U : kMode);
  return had;
}

void MarkStandby(const std::string& data) {
  Remove(data + "/recovery.signal");
  Remove(data + "/postmaster.pid");
  WriteFileAtomically(data + "/standby.signal", "", kMode);
  SyncFileSystemOf(data);
}

}  // namespace mfi::os
