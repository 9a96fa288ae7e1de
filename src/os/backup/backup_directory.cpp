#include "os/backup/backup_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/timestamp.h"
#include "os/base/configured_directory.h"
#include "os/base/directory.h"
#include "os/base/directory_owner.h"

namespace mfi::os {
namespace {

using core::Error;
using core::kManifestName;

constexpr char kRunsName[] = ".runs";
constexpr char kFailedPrefix[] = ".failed-";

/// The set in the directory `name`; nullopt when that is none.
std::optional<core::Manifest> TrySet(const Directory& root, const std::string& name, const std::string& id,
                                     Reading& reading) {
  try {
    const std::string text = root.Below(name).Read(kManifestName, core::kMaxManifestBytes);
    reading.Took(static_cast<std::int64_t>(text.size()));
    core::Manifest manifest = core::ParseManifest(text);
    if (id.empty() || manifest.run.id == id) return manifest;
  } catch (const Error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

/// Newest first, because the name of a set ends in its time: should not all be read, the newest are.
std::vector<std::string> NewestFirst(std::vector<std::string> names) {
  std::reverse(names.begin(), names.end());
  return names;
}

/// What is written must be readable: a set with a manifest that is not would be none.
std::string TextOf(const core::Manifest& manifest) {
  std::string text = core::ToJson(manifest);
  const auto bytes = static_cast<std::int64_t>(text.size());
  if (bytes > core::kMaxManifestBytes) {
    throw Error(core::sqlstate::kProgramLimitExceeded, "the manifest of set \"" + manifest.run.id + "\" would have " +
                                                           core::FormatBytes(bytes) + ", more than is read again");
  }
  return text;
}

std::string NoLink(const std::string& link, const Error& error) {
  return "the link \"" + link + "\" could not be set, so remove what is there: " + error.what();
}

/// What was read newest first.
void SortByAge(std::vector<StoredSet>& sets) {
  std::reverse(sets.begin(), sets.end());
  std::stable_sort(sets.begin(), sets.end(), [](const StoredSet& a, const StoredSet& b) {
    return a.manifest.run.queued_at < b.manifest.run.queued_at;
  });
}

}  // namespace

BackupDirectory::BackupDirectory(std::string root, std::string node, Reading::Look look, std::int64_t budget)
    : root_(std::move(root)), node_(std::move(node)), look_(std::move(look)), budget_(budget) {
  while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
}

void BackupDirectory::CheckUsable(const std::string& data_directory) const {
  const std::string what = "the backup directory";
  CheckConfigured({.path = root_,
                   .setting = "mfi.backup_directory",
                   .what = what,
                   .off = "backups are off",
                   .lost = "Backups would be lost together with the data."},
                  data_directory);
  const Directory root = Directory::OpenConfigured(root_);
  if (root.Status(kRunsName)) CheckOwned(root.Below(kRunsName), what, 0700);
}

void BackupDirectory::Prepare() const {
  if (!Exists(RunsPath())) MakeDirectory(RunsPath(), 0700);
}

FileLock BackupDirectory::LockForRun(const std::string& database) const {
  return FileLock(RunsPath() + "/.run-" + core::EncodeFileName(database));
}

std::vector<StoredSet> BackupDirectory::Sets() const {
  Reading reading = StartReading();
  return Sets(reading);
}

std::vector<StoredSet> BackupDirectory::Sets(Reading& reading) const {
  std::vector<StoredSet> sets;
  if (!IsDirectory(root_)) return sets;
  const Directory root = Directory::OpenConfigured(root_);
  for (const std::string& name : NewestFirst(root.Names())) {
    if (!core::IsRunId(name)) continue;
    if (!reading.Next()) break;
    if (auto manifest = TrySet(root, name, name, reading)) sets.push_back({std::move(*manifest), SetPath(name)});
  }
  SortByAge(sets);
  return sets;
}

std::vector<StoredSet> BackupDirectory::FailedSets() const {
  std::vector<StoredSet> sets;
  if (!IsDirectory(root_)) return sets;
  const Directory root = Directory::OpenConfigured(root_);
  Reading reading = StartReading();
  for (const std::string& name : NewestFirst(root.Names())) {
    if (name.rfind(kFailedPrefix, 0) != 0) continue;
    if (!reading.Next()) break;
    auto manifest = TrySet(root, name, "", reading);
    if (manifest && name.ends_with("-" + manifest->run.id)) sets.push_back({std::move(*manifest), root_ + "/" + name});
  }
  SortByAge(sets);
  return sets;
}

core::Manifest BackupDirectory::FindSet(const std::string& id) const {
  if (core::IsRunId(id) && IsDirectory(root_)) {
    Reading alone;
    if (auto manifest = TrySet(Directory::OpenConfigured(root_), id, id, alone)) return std::move(*manifest);
  }
  throw Error("42704", "there is no backup set \"" + id + "\"", {},
              "SELECT id FROM mfi_backups WHERE path IS NOT NULL lists them.");
}

std::string BackupDirectory::Publish(const core::Manifest& manifest) const {
  const std::string& id = manifest.run.id;
  const std::string partial = PartialPath(id);
  const Directory set = Directory::Open(partial);
  const bool group_reads = (set.Status(".")->st_mode & S_IRGRP) != 0;
  set.WriteAtomically(kManifestName, TextOf(manifest), group_reads ? 0640 : 0600);
  FsyncTree(partial);
  std::string remark;
  try {
    Rename(partial, SetPath(id));
  } catch (const Error& error) {
    // It may have its name and not be durable: then it loses the name again, so that record and directory say the same.
    const bool has_its_name = !Exists(partial);
    if (!has_its_name || rename(SetPath(id).c_str(), partial.c_str()) == 0) throw;
    remark = std::string("the set may lose its name if the machine stops now: ") + error.what();
  }
  try {
    ReplaceSymlink(LinkPath(id), manifest.run.path);
  } catch (const Error& error) {
    remark += (remark.empty() ? "" : "; ") + NoLink(LinkPath(id), error);
  }
  return remark;
}

bool BackupDirectory::ChangeManifest(const std::string& id, const std::function<void(core::Manifest&)>& change) const {
  const FileLock lock = LockForRemoval();
  if (!lock.held()) return false;
  core::Manifest manifest = FindSet(id);
  change(manifest);
  SaveManifest(manifest);
  return true;
}

void BackupDirectory::SaveManifest(const core::Manifest& manifest) const {
  const Directory set = Directory::OpenConfigured(root_).Below(manifest.run.id);
  const auto old = set.Status(kManifestName);
  set.WriteAtomically(kManifestName, TextOf(manifest), old ? old->st_mode & 0777U : 0600U);
}

void BackupDirectory::RemoveUnsavedManifest(const std::string& id) const {
  const Directory set = Directory::OpenConfigured(root_).Below(id);
  const std::string name = std::string(kManifestName) + ".tmp";
  if (unlinkat(set.fd(), name.c_str(), 0) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", set.path() + "/" + name);
}

std::string BackupDirectory::PointLatestAtNewestVerified(const std::string& system_identifier) const {
  const std::string link = root_ + "/latest";
  std::string newest;
  for (const StoredSet& set : Sets()) {
    const core::RunRecord& run = set.manifest.run;
    if (run.verify_result == "ok" && run.system_identifier == system_identifier) newest = run.id;
  }
  try {
    if (!newest.empty()) {
      ReplaceSymlink(link, newest);
    } else if (unlink(link.c_str()) != 0 && errno != ENOENT) {
      ThrowErrno(errno, "remove", link);
    }
  } catch (const Error& error) {
    return NoLink(link, error);
  }
  return {};
}

void BackupDirectory::Unlink(const std::string& id) const {
  // A directory in its place is somebody else's.
  if (unlink(LinkPath(id).c_str()) != 0 && errno != ENOENT && errno != EISDIR) {
    ThrowErrno(errno, "remove", LinkPath(id));
  }
}

void BackupDirectory::Remove(const std::string& id) const {
  const std::string hidden = root_ + "/.remove-" + node_ + "-" + id;
  Unlink(id);
  if (!Exists(SetPath(id))) return;
  Rename(SetPath(id), hidden);
  RemoveTree(hidden);
}

std::string BackupDirectory::SetAside(const std::string& id) const {
  Unlink(id);
  std::string hidden = kFailedPrefix + node_ + "-" + id;
  try {
    Rename(SetPath(id), root_ + "/" + hidden);
  } catch (const Error&) {
    // Renamed and not durable: its manifest says what it is under either name.
    if (Exists(SetPath(id))) throw;
  }
  return hidden;
}

void BackupDirectory::RemoveFailed(const StoredSet& set) const {
  const std::string hidden = root_ + "/.remove-" + node_ + "-" + set.manifest.run.id;
  Rename(set.path, hidden);
  RemoveTree(hidden);
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
