#pragma once

#include <string>

#include "command/base/command_host.h"
#include "command/restore/restore_server.h"
#include "core/backup/manifest.h"
#include "os/backup/set_files.h"

namespace mfi::command {

/// The path of the set that the user names: an id among the server's backups, or a directory. Throws Error with those
/// that are there when it is none.
std::string FindSet(const std::string& set, RestoreServer& server, const std::string& called);

/// A set whose files are those of its manifest.
class RestoreSet {
 public:
  /// Reads the manifest and every file. Throws Error when something is not as the manifest says.
  RestoreSet(std::string path, CommandHost& host, const std::string& called);

  const core::Manifest& manifest() const { return manifest_; }
  std::string Name() const { return path_.substr(path_.rfind('/') + 1); }

  /// The path of what pg_restore reads.
  std::string Archive() const { return path_ + manifest_.run.path.substr(manifest_.run.id.size()); }

  /// The text of globals.sql. Throws Error when the set has none.
  std::string Globals() const;

  /// "", or which file was touched since the set was read.
  std::string Touched() const { return files_.Touched(); }

 private:
  static core::Manifest ReadManifest(const std::string& path, const std::string& called);

  std::string path_;
  core::Manifest manifest_;
  os::SetFiles files_;
};

}  // namespace mfi::command
