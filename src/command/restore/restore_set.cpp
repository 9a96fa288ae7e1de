#include "command/restore/restore_set.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/base/file.h"

namespace mfi::command {
namespace {

using core::Error;
using core::Printable;

constexpr std::size_t kListedSets = 50;
constexpr char kGlobals[] = "globals.sql";

std::string ManifestOf(const std::string& set) { return set + "/" + core::kManifestName; }

/// The sets in a directory, a line each.
std::string SetsIn(const std::string& directory) {
  std::string list;
  std::size_t number = 0;
  std::vector<std::string> names = os::ListDirectory(directory);
  std::reverse(names.begin(), names.end());  // the newest first
  for (const std::string& name : names) {
    if (name.front() == '.' || !os::Exists(ManifestOf(directory + "/" + name))) continue;
    if (++number > kListedSets) return list + "\n    ...";
    list += "\n    " + Printable(name);
  }
  return list.empty() ? "There is none in " + Printable(directory) + "." : "These are there:" + list;
}

std::string BackupDirectoryOf(RestoreServer& server, const std::string& called) {
  std::string directory;
  try {
    directory = server.admin().Value("SHOW mfi.backup_directory");
  } catch (const os::ServerError&) {
    directory.clear();  // the library is not loaded there
  }
  if (!directory.empty()) return directory;
  throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
              "the server does not tell where its backups are; nothing was restored", {},
              "Give the set's directory instead of its id: " + called + " /path/of/the/set");
}

[[noreturn]] void NoSet(const std::string& path, const std::string& why, const std::string& called) {
  throw Error(core::sqlstate::kUndefinedFile,
              Printable(path) + " is not a backup set, or not for you to read" + why + "; nothing was restored", {},
              "A set has a file manifest.json. Run this as the server's user, who may read it: sudo -u postgres " +
                  called + " ...");
}

}  // namespace

std::string FindSet(const std::string& set, RestoreServer& server, const std::string& called) {
  std::string path = set;
  if (set.find('/') == std::string::npos) {
    const std::string directory = BackupDirectoryOf(server, called);
    path = directory + "/" + set;
    if (os::IsDirectory(directory) && access(directory.c_str(), R_OK) == 0 && !os::Exists(ManifestOf(path)) &&
        (access(path.c_str(), X_OK) == 0 || errno == ENOENT)) {
      throw Error(core::sqlstate::kUndefinedFile,
                  "there is no backup set " + Printable(path) + "; nothing was restored", {}, SetsIn(directory));
    }
  }
  const std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), free);
  if (!real) NoSet(path, "", called);
  return real.get();
}

core::Manifest RestoreSet::ReadManifest(const std::string& path, const std::string& called) {
  if (access(ManifestOf(path).c_str(), R_OK) != 0) NoSet(path, "", called);
  try {
    return core::ParseManifest(os::ReadFile(ManifestOf(path), core::kMaxManifestBytes));
  } catch (const Error& error) {
    throw Error(
        error.sqlstate(),
        "the manifest of " + Printable(path) + " cannot be read: " + Printable(error.what()) + "; nothing was restored",
        {}, "Choose another set: " + called + " ID");
  }
}

RestoreSet::RestoreSet(std::string path, CommandHost& host, const std::string& called)
    : path_(std::move(path)), manifest_(ReadManifest(path_, called)), files_(path_) {
  std::string differs;
  try {
    differs = files_.Differences(manifest_, host);
  } catch (const core::Stop&) {
    throw;
  } catch (const Error& error) {
    differs = Printable(error.what());
  }
  if (differs.empty()) return;
  throw Error(core::sqlstate::kDataCorrupted,
              "the set's files are not those of its manifest: " + differs + "; nothing was restored", {},
              "Choose another set: " + called + " ID");
}

std::string RestoreSet::Globals() const {
  const auto& files = manifest_.files;
  if (std::none_of(files.begin(), files.end(), [](const core::ManifestFile& file) { return file.name == kGlobals; })) {
    throw Error(core::sqlstate::kUndefinedFile, "the set has no globals.sql, so no roles; nothing was restored", {},
                "Make the roles that are missing, then restore without --globals.");
  }
  return os::ReadFile(path_ + "/" + kGlobals);
}

}  // namespace mfi::command
