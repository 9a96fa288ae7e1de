#include "os/backup/set_files.h"

#include <set>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/backup/backup_directory.h"

namespace mfi::os {
namespace {

constexpr char kItself[] = ".";
constexpr std::size_t kLongestShown = 300;

/// A file as it is told of, in a database of any encoding: others may have named it.
std::string File(const std::string& name) { return "file " + core::PlainWords(name, kLongestShown); }

bool SameTime(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

}  // namespace

std::string SetFiles::Differences(const core::Manifest& manifest, RunHost& host) {
  std::map<std::string, std::int64_t> sizes;
  for (const TreeEntry& entry : ListTree(top_)) {
    if (!S_ISREG(entry.status.st_mode)) return File(entry.name) + " is not a regular file";
    sizes[entry.name] = entry.status.st_size;
  }
  std::set<std::string> listed;
  for (const core::ManifestFile& file : manifest.files) {
    listed.insert(file.name);
    const auto found = sizes.find(file.name);
    if (found == sizes.end()) return File(file.name) + " is missing";
    if (found->second != file.bytes) return File(file.name) + " has changed since it was published";
  }
  for (const auto& [name, size] : sizes) {
    if (listed.count(name) == 0 && !core::IsManifestName(name)) {
      return File(name) + " was not in the set when it was published";
    }
  }
  marks_ = Read(top_);
  for (const core::ManifestFile& file : manifest.files) {
    const UniqueFd fd = top_.OpenFile(file.name);
    if (host.Sha256OfFile(fd.get(), top_.path() + "/" + file.name) != file.sha256) {
      return File(file.name) + " has changed since it was published";
    }
  }
  return {};
}

SetFiles::Marks SetFiles::Read(const Directory& top) {
  Marks marks;
  const auto add = [&](const std::string& name, const struct stat& s) {
    marks[name] = {s.st_dev, s.st_ino, s.st_size, s.st_mtim, s.st_ctim};
  };
  for (const TreeEntry& entry : ListTree(top)) add(entry.name, entry.status);
  if (const auto itself = top.Status(kItself)) add(kItself, *itself);
  return marks;
}

bool SetFiles::Same(const Mark& a, const Mark& b) {
  return a.device == b.device && a.inode == b.inode && a.size == b.size && SameTime(a.modified, b.modified) &&
         SameTime(a.changed, b.changed);
}

std::string SetFiles::Touched() const {
  const Marks now = Read(Directory::Open(top_.path()));
  const auto touched = [&](const std::string& name) {
    const auto before = marks_.find(name);
    const auto after = now.find(name);
    if (before == marks_.end() || after == now.end()) return before != marks_.end() || after != now.end();
    return !Same(before->second, after->second);
  };
  for (const Marks* marks : {&marks_, &now}) {
    for (const auto& [name, mark] : *marks) {
      if (name != kItself && !core::IsManifestName(name) && touched(name)) return File(name);
    }
  }
  const auto before = marks_.find(kItself);
  const auto after = now.find(kItself);
  if (before == marks_.end() || after == now.end() || before->second.inode != after->second.inode ||
      before->second.device != after->second.device) {
    return "its directory";
  }
  // Holding or releasing a set rewrites the manifest, and with it the directory's times.
  return touched(kItself) && !touched(core::kManifestName) ? "its directory" : "";
}

std::vector<core::ManifestFile> DescribeFiles(const std::string& path, RunHost& host) {
  std::vector<core::ManifestFile> files;
  const Directory top = Directory::Open(path);
  for (const TreeEntry& entry : ListTree(top)) {
    const UniqueFd fd = top.OpenFile(entry.name);
    const std::string shown = path + "/" + entry.name;
    files.push_back({entry.name, entry.status.st_size, host.Sha256OfFile(fd.get(), shown)});
  }
  return files;
}

}  // namespace mfi::os
