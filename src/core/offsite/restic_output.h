#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"

// What restic 0.14 to 0.18 print with --json, and what they say when they fail.
namespace mfi::core {

/// One of a repository. A copy of ours has one path, of which the last part is the set's id, or the store's node.
struct Snapshot {
  std::string id;
  UtcSeconds at = 0;
  std::string host;
  std::vector<std::string> tags;
  std::string name;  // the last part of its first path

  bool Has(std::string_view tag) const;

  /// Whether it is the one that restic named, by its whole id or, as 0.14 does, by its beginning.
  bool Is(std::string_view named) const { return !named.empty() && id.starts_with(named); }

  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// `restic snapshots --json`, oldest first. Throws Error(XX001).
std::vector<Snapshot> ParseSnapshots(std::string_view printed);

/// What a `restic backup --json` has done.
struct CopySummary {
  std::string snapshot;
  std::int64_t files = 0;
  std::int64_t bytes = 0;   // of the files
  std::int64_t stored = 0;  // that the repository did not have yet, as restic encrypts and compresses them

  friend bool operator==(const CopySummary&, const CopySummary&) = default;
};

/// The last `summary` among its lines; throws Error(XX001) when there is none.
CopySummary ParseCopySummary(std::string_view printed);

/// The ids that `restic forget --json` was to remove. Throws Error(XX001).
std::vector<std::string> ParseForgotten(std::string_view printed);

/// `restic cat config`: the repository's id. Throws Error(XX001).
std::string ParseRepositoryId(std::string_view printed);

/// `restic stats --json --mode=restore-size`: bytes of the files. Throws Error(XX001).
std::int64_t ParseRestoreSize(std::string_view printed);

/// `restic cat lock`.
struct RepositoryLock {
  std::string host;
  std::string user;
  std::int64_t pid = 0;
  std::optional<UtcSeconds> at;
  bool exclusive = false;
};

/// Throws Error(XX001).
RepositoryLock ParseLock(std::string_view printed);

/// Why restic failed.
enum class ResticFault { kOther, kNoRepository, kPassword, kLocked };

struct ResticError {
  ResticFault fault = ResticFault::kOther;
  std::string words;  // its own first error, in one line
};

/// Whether its stderr says of an operation on the repository that it is not tried again.
bool HasGivenUp(std::string_view errors);

/// Of its exit code and what it wrote to stderr.
ResticError ParseResticError(int exit_code, std::string_view errors);

}  // namespace mfi::core
