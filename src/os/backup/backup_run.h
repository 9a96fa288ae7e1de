#pragma once

#include <string>

#include "core/backup/run_record.h"
#include "os/backup/job.h"
#include "os/backup/run_host.h"

namespace mfi::os {

/// Runs a backup to its end: dump, publish, verify, retention. Never throws: whatever happens is in the record on
/// disk and in the one returned. When the dump fails, or what was dumped proves wrong, nothing stays under a set's
/// name; when only the verification was stopped, the set stays, as not verified.
core::RunRecord RunBackup(const BackupJob& job, RunHost& host);

/// Verifies the published set `id` again and writes the result into its manifest. Returns the result: "ok", or what
/// differs. Throws Error when there is no such set or the verification could not be made.
std::string VerifySet(const BackupJob& job, const std::string& id, RunHost& host);

}  // namespace mfi::os
