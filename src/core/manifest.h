#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/contents.h"
#include "core/run_record.h"

namespace mfi::core {

inline constexpr int kManifestFormat = 1;
inline constexpr char kManifestName[] = "manifest.json";

/// A manifest that is larger is neither written nor read. One of 50,000 tables, each with a file of its own, has 15.5
/// MB.
inline constexpr std::int64_t kMaxManifestBytes = std::int64_t{16} * 1024 * 1024;

/// Whether a file of this name, directly in a set, is its manifest, or what a crash left of writing it. Neither is ever
/// one of the set's files.
bool IsManifestName(std::string_view name);

/// One file of a set.
struct ManifestFile {
  std::string name;  // relative to the set's directory
  std::int64_t bytes = 0;
  std::string sha256;  // lower-case hex
};

/// The properties a restored database must get back.
struct DatabaseProperties {
  std::string name;
  std::string owner;
  std::string encoding;
  std::string locale_provider;  // libc | icu | builtin
  std::string collate;
  std::string ctype;
  std::string locale;  // of icu and builtin
  std::string collation_version;
  std::vector<std::string> acl;
  std::vector<std::string> settings;  // `role/name=value`, role empty for ALTER DATABASE SET
};

/// manifest.json: what a set is, enough to list, check and restore it without any server. A directory without a
/// valid manifest is not a set.
struct Manifest {
  RunRecord run;  // its path is a listed file, or the directory of listed files
  DatabaseProperties database;
  std::string server_version;
  std::vector<std::string> dump_command;
  std::vector<ManifestFile> files;
  Contents contents;
  std::string adopted_from;  // system identifier of the cluster that made it, when this one adopted it
  bool held = false;
  std::string hold_reason;
};

std::string ToJson(const Manifest& manifest);

/// Throws Error(kDataCorrupted) when the text is not a manifest of a format this version knows.
Manifest ParseManifest(std::string_view json);

}  // namespace mfi::core
