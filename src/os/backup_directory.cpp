#include "os/backup_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include "core/error.h"
#include "core/names.h"

namespace mfi::os {
namespace {

using core::Error;

constexpr char kRemoveHint[] =
    "Set mfi.backup_directory to a directory that the server's operating system user can write to.";

std::string RealPath(const std::string& path) {
  struct Free {
    void operator()(char* text) const { std::free(text); }  // NOLINT: realpath allocates with malloc
  };
  const std::unique_ptr<char, Free> resolved(realpath(path.c_str(), nullptr));
  return resolved ? resolved.get() : path;
}

bool IsInside(const std::string& path, const std::string& directory) {
  return path == directory || path.rfind(directory + "/", 0) == 0;
}

unsigned PermissionBits(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) ThrowErrno(errno, "read the status of", path);
  return status.st_mode & 0777U;
}

}  // namespace

BackupDirectory::BackupDirectory(std::string root, std::string node) : root_(std::move(root)), node_(std::move(node)) {
  while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
}

void BackupDirectory::CheckUsable(const std::string& data_directory) const {
  namespace state = core::sqlstate;
  if (root_.empty()) {
    throw Error(state::kObjectNotInPrerequisiteState, "mfi.backup_directory is not set, so backups are off", {},
                kRemoveHint);
  }
  if (root_.front() != '/') {
    throw Error(state::kConfigFile, "mfi.backup_directory \"" + root_ + "\" is not an absolute path", {}, kRemoveHint);
  }
  if (!Exists(root_)) {
    throw Error(state::kUndefinedFile, "the backup directory \"" + root_ + "\" does not exist", {},
                "Create it, owned by the operating system user that runs PostgreSQL, or mount its file system.");
  }
  if (!IsDirectory(root_)) {
    throw Error(state::kConfigFile, "the backup directory \"" + root_ + "\" is not a directory", {}, kRemoveHint);
  }
  if (IsInside(RealPath(root_), RealPath(data_directory))) {
    throw Error(state::kConfigFile, "the backup directory \"" + root_ + "\" is inside the data directory",
                "Backups would be lost together with the data.", kRemoveHint);
  }
  if (access(root_.c_str(), R_OK | W_OK | X_OK) != 0) ThrowErrno(errno, "write to the backup directory", root_);
}

void BackupDirectory::Prepare() const {
  if (!IsDirectory(RunsPath())) MakeDirectory(RunsPath(), 0700);
}

FileLock BackupDirectory::LockForRun(const std::string& database) const {
  return FileLock(RunsPath() + "/.run-" + core::EncodeFileName(database));
}

std::vector<StoredSet> BackupDirectory::Sets() const {
  std::vector<StoredSet> sets;
  if (!IsDirectory(root_)) return sets;
  for (const std::string& name : ListDirectory(root_)) {
    if (!core::IsRunId(name)) continue;
    try {
      core::Manifest manifest = core::ParseManifest(ReadFile(SetPath(name) + "/" + kManifestName));
      if (manifest.run.id == name) sets.push_back({std::move(manifest), SetPath(name)});
    } catch (const Error&) {
      continue;  // not a set
    }
  }
  std::stable_sort(sets.begin(), sets.end(), [](const StoredSet& a, const StoredSet& b) {
    return a.manifest.run.queued_at < b.manifest.run.queued_at;
  });
  return sets;
}

core::Manifest BackupDirectory::FindSet(const std::string& id) const {
  for (StoredSet& set : Sets()) {
    if (set.manifest.run.id == id) return std::move(set.manifest);
  }
  throw Error("42704", "there is no backup set \"" + id + "\"", {},
              "SELECT id FROM mfi_backups WHERE path IS NOT NULL lists them.");
}

void BackupDirectory::Publish(const core::Manifest& manifest) const {
  const std::string& id = manifest.run.id;
  const std::string partial = PartialPath(id);
  WriteFileAtomically(partial + "/" + kManifestName, core::ToJson(manifest),
                      PermissionBits(partial) == 0750 ? 0640 : 0600);
  FsyncTree(partial);
  Rename(partial, SetPath(id));
  try {
    ReplaceSymlink(LinkPath(id), manifest.run.path);
  } catch (const Error&) {
    Remove(id);
    throw;
  }
}

void BackupDirectory::SaveManifest(const core::Manifest& manifest) const {
  const std::string path = SetPath(manifest.run.id) + "/" + kManifestName;
  WriteFileAtomically(path, core::ToJson(manifest), PermissionBits(path));
}

void BackupDirectory::PointLatestAtNewestVerified(const std::string& system_identifier) const {
  const std::string link = root_ + "/latest";
  std::string newest;
  for (const StoredSet& set : Sets()) {
    const core::RunRecord& run = set.manifest.run;
    if (run.verify_result == "ok" && run.system_identifier == system_identifier) newest = run.id;
  }
  if (!newest.empty()) {
    ReplaceSymlink(link, newest);
  } else if (unlink(link.c_str()) != 0 && errno != ENOENT) {
    ThrowErrno(errno, "remove", link);
  }
}

void BackupDirectory::Remove(const std::string& id) const {
  const std::string hidden = root_ + "/.remove-" + node_ + "-" + id;
  if (unlink(LinkPath(id).c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", LinkPath(id));
  if (!Exists(SetPath(id))) return;
  Rename(SetPath(id), hidden);
  RemoveTree(hidden);
}

std::string BackupDirectory::SetAside(const std::string& id) const {
  const std::string prefix = ".failed-" + node_ + "-";
  RemoveHidden(prefix);
  if (unlink(LinkPath(id).c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", LinkPath(id));
  std::string hidden = root_ + "/" + prefix + id;
  Rename(SetPath(id), hidden);
  return hidden;
}

void BackupDirectory::RemoveLeftovers() const {
  if (!IsDirectory(root_)) return;
  RemoveHidden(".partial-" + node_ + "-");
  RemoveHidden(".remove-" + node_ + "-");
}

void BackupDirectory::RemoveHidden(const std::string& prefix) const {
  for (const std::string& name : ListDirectory(root_)) {
    if (name.rfind(prefix, 0) == 0 && core::IsRunId(name.substr(prefix.size()))) RemoveTree(root_ + "/" + name);
  }
}

}  // namespace mfi::os
