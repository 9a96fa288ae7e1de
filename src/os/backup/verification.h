#pragma once

#include <string>

#include "core/backup/manifest.h"
#include "core/base/error.h"
#include "os/backup/backup_directory.h"
#include "os/backup/job.h"
#include "os/backup/run_host.h"

namespace mfi::os {

/// How a verification ended.
struct Verification {
  core::VerifyMethod method = core::VerifyMethod::kNone;  // what was done, which may be less than what was wanted
  std::string result;                                     // "ok", or what differs; empty: not verified
  std::string remark;                                     // why less was done than wanted; empty otherwise
  std::string sandbox = {};  // of a proof: "whole", or what its sandbox lacked; empty without one
};

/// Verifies a published set as `job.verify` wants. Where a restore cannot be made, or does not come to its end (no
/// room, no scratch server, killed), nothing is proven: the remark says why, and the result says what differs only when
/// the archive cannot even be read. Throws Stop alone.
Verification VerifyPublished(const BackupJob& job, const core::Manifest& manifest, RunHost& host);

}  // namespace mfi::os
