#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/base/file.h"

namespace mfi::os {

/// A directory that is held open: what others do to its name, or to the names above it, changes nothing. Whatever is
/// below it is reached from the descriptor, name by name; no link is followed, and only regular files are opened.
/// Names are relative paths without `.`, `..` and empty parts.
class Directory {
 public:
  /// The last part of `path` may not be a link.
  static Directory Open(const std::string& path);

  /// For a path that an administrator has configured: it may be a link.
  static Directory OpenConfigured(const std::string& path);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

  Directory Below(const std::string& name) const;

  /// Open for reading. Throws Error(58030) when it is no regular file.
  UniqueFd OpenFile(const std::string& name) const;

  /// Whole file; refuses more than `limit` bytes before it reads one.
  std::string Read(const std::string& name, std::int64_t limit) const;

  /// Of a direct entry, which may be a link; nullopt when there is none.
  std::optional<struct stat> Status(const std::string& name) const;

  /// Replaces a direct entry by one rename; file and directory are fsynced.
  void WriteAtomically(const std::string& name, std::string_view content, unsigned mode) const;

  /// Without `.` and `..`, sorted.
  std::vector<std::string> Names() const;

 private:
  Directory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  static Directory OpenAt(int parent, const std::string& name, std::string shown, int flags);

  UniqueFd fd_;
  std::string path_;  // as it was opened, for messages
};

/// Opens a regular file for reading, never a link, a device or a pipe. `shown` is its name in an error.
UniqueFd OpenRegular(int directory, const std::string& name, const std::string& shown);

/// Something below a directory that is no directory itself.
struct TreeEntry {
  std::string name;  // relative to the directory
  struct stat status {};
};

/// Everything below `top` that is no directory, sorted by directory and name.
std::vector<TreeEntry> ListTree(const Directory& top);

/// The rest of an open file; refuses more than `limit` bytes.
std::string ReadAll(int fd, const std::string& shown, std::int64_t limit);

/// The names in an open directory, sorted. The descriptor stays open.
std::vector<std::string> NamesIn(int directory, const std::string& shown);

}  // namespace mfi::os
