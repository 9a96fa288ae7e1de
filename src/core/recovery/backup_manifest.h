#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/lsn.h"

namespace mfi::core {

inline constexpr char kBackupManifestName[] = "backup_manifest";

/// A file takes about 200 bytes in it: 1.3 million files, more than a cluster has whose base fits here.
inline constexpr std::int64_t kMaxBackupManifestBytes = std::int64_t{256} * 1024 * 1024;

/// What PostgreSQL's backup_manifest (version 1 or 2) says of a base backup as a whole.
struct BackupManifest {
  int version = 0;
  std::string system_identifier;  // empty in version 1
  std::uint32_t timeline = 0;     // in which it ended
  Lsn start = 0;                  // the WAL that it needs, over all its timelines
  Lsn end = 0;
  std::int64_t files = 0;
  std::int64_t data_bytes = 0;  // of these files; of an incremental one, as they are in it

  friend bool operator==(const BackupManifest&, const BackupManifest&) = default;
};

/// Needs little memory beside the text. Throws Error(kDataCorrupted) when it is none, or has no WAL range. Its checksum
/// is not looked at: pg_verifybackup does that.
BackupManifest ParseBackupManifest(std::string_view text);

}  // namespace mfi::core
