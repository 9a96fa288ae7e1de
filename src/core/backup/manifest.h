#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/backup/contents.h"
#include "core/backup/run_record.h"
#include "core/backup/set_copy.h"

namespace mfi::core {

inline constexpr int kManifestFormat = 1;
inline constexpr char kManifestName[] = "manifest.json";

/// A manifest that is larger is neither written nor read. One of 50,000 tables, each with a file of its own, has 15.5
/// MB.
inline constexpr std::int64_t kMaxManifestBytes = std::int64_t{32} * 1024 * 1024;

/// Whether a file of this name, directly in a set, is its manifest, or what a crash left of writing it. Neither is ever
/// one of the set's files.
bool IsManifestName(std::string_view name);

/// One file of a set.
struct ManifestFile {
  std::string name;  // relative to the set's directory
  std::int64_t bytes = 0;
  std::string sha256;  // lower-case hex
};

/// Of ALTER DATABASE SET, or of ALTER ROLE IN DATABASE SET.
struct DatabaseSetting {
  std::string role;  // its name as it is; empty: of all
  std::string name;
  std::string value;  // as the server stores it

  friend bool operator==(const DatabaseSetting&, const DatabaseSetting&) = default;
};

/// Of SECURITY LABEL ON DATABASE.
struct SecurityLabel {
  std::string provider;
  std::string label;

  friend bool operator==(const SecurityLabel&, const SecurityLabel&) = default;
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
  std::string icu_rules;
  std::string collation_version;
  std::optional<std::vector<std::string>> acl;  // nullopt: the privileges that every database has
  std::vector<DatabaseSetting> settings;
  int connection_limit = -1;  // none
  std::string comment;
  std::string tablespace;  // empty: that of every new database
  bool is_template = false;
  std::vector<SecurityLabel> security_labels;
};

/// manifest.json: what a set is, enough to list, check and restore it without any server. A directory without a
/// valid manifest is not a set.
struct Manifest {
  RunRecord run;  // its path is a listed file, or the directory of listed files
  DatabaseProperties database;
  std::string server_version;
  std::vector<std::string> session_settings;  // `name=value`: what gives values their meaning in the source's sessions
  std::vector<std::string> dump_command;
  std::vector<ManifestFile> files;
  Contents contents;
  std::string adopted_from;  // system identifier of the cluster that made it, when this one adopted it
  bool held = false;
  std::string hold_reason;
  std::vector<SetCopy> copies;  // elsewhere
};

/// Names of a database without an encoding can hold any bytes, and JSON cannot: a byte that is no part of a character
/// in UTF-8 becomes the private character U+10FF00 + byte, and again the byte when the manifest is read.
std::string ToJson(const Manifest& manifest);

/// Throws Error(kDataCorrupted) when the text is not a manifest of a format this version knows.
Manifest ParseManifest(std::string_view json);

}  // namespace mfi::core
