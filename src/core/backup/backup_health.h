#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/base/verdict.h"

namespace mfi::core {

/// A set as the verdict sees it, oldest first.
struct SetFacts {
  std::string id;
  UtcSeconds finished = 0;
  std::int64_t size_bytes = 0;
  int tables = 0;
  bool verified = false;
  bool restored = false;           // verified by a restore
  std::string lacking_walls = {};  // of the sandbox of its proof
  std::string remark;              // of the run, such as why it was not restored
  bool foreign = false;            // of another system identifier
};

/// For each set: whether it is far smaller than its recent neighbours, or has fewer tables than the one before it.
/// Compared are sets of the same origin: the median of up to seven before it.
std::vector<bool> FindSuspicious(const std::vector<SetFacts>& sets);

struct BackupFacts {
  UtcSeconds now = 0;
  bool in_recovery = false;
  bool preloaded = false;
  bool launcher_alive = false;
  bool directory_silent = false;  // its file system did not answer, and it was not looked at
  double launcher_stalled_s = 0;  // it has not come round for so long, and the directory was not looked at
  std::string directory;          // empty: backups are off
  std::string directory_problem;  // empty: usable
  std::string directory_remedy;   // what mends it; may be empty
  bool same_device = false;       // as the data directory
  bool copy_proven = false;       // a copy elsewhere was fetched and restored
  std::string database;
  bool database_exists = false;
  bool schedule_held = false;  // by an invalid setting
  bool has_schedule = false;
  bool verify_off = false;
  bool restore_wanted = false;  // mfi.backup_verify = restore
  bool run_in_progress = false;
  std::int64_t max_age_s = 0;
  std::vector<SetFacts> sets;
  std::string last_failed_id;  // the newest run, when it failed
  std::string last_failure;
  std::string notify_failure;  // of the last mfi.notify_command
};

/// When the newest verified own set finished.
std::optional<UtcSeconds> NewestVerified(const std::vector<SetFacts>& sets);

/// Gravest first.
Reasons JudgeBackups(const BackupFacts& facts);

}  // namespace mfi::core
