#pragma once

#include <map>
#include <string>

#include "core/backup/manifest.h"
#include "os/backup/run_host.h"
#include "os/base/directory.h"

namespace mfi::os {

/// The files of a published set, held by descriptor while it is verified, so that a set that is swapped or written to
/// meanwhile is not called proven: Differences before any program reads the set, then the proof, then Touched.
class SetFiles {
 public:
  /// Throws Error when `path` is no directory; a link is none.
  explicit SetFiles(const std::string& path) : top_(Directory::Open(path)) {}

  /// Compares everything in the set with its manifest: names, kinds, sizes, SHA-256. "", or what differs. Nothing that
  /// is not a regular file is opened.
  std::string Differences(const core::Manifest& manifest, RunHost& host);

  /// "", or which of the files that Differences has read was touched, replaced or added since.
  std::string Touched() const;

 private:
  struct Mark {
    dev_t device;
    ino_t inode;
    off_t size;
    timespec modified;
    timespec changed;
  };
  using Marks = std::map<std::string, Mark>;

  static Marks Read(const Directory& top);
  static bool Same(const Mark& a, const Mark& b);

  Directory top_;
  Marks marks_;
};

/// The files below a directory as a manifest names them. Throws Error when something there is no regular file.
std::vector<core::ManifestFile> DescribeFiles(const std::string& path, RunHost& host);

}  // namespace mfi::os
