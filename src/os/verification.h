#pragma once

#include <string>

#include "core/error.h"
#include "core/manifest.h"
#include "os/backup_directory.h"
#include "os/backup_run.h"

namespace mfi::os {

/// How a verification ended.
struct Verification {
  std::string method;        // restore | list | none: what was done, which may be less than what was wanted
  std::string result;        // "ok", or what differs; empty: not verified
  std::string remark;        // why less was done than wanted; empty otherwise
  std::string sandbox = {};  // of a proof: "whole", or what its sandbox lacked; empty without one
};

/// Verifies a published set as `job.verify` wants. Where a restore cannot be made (no room, no scratch server) the
/// archive is read through instead, and the remark says so. Throws Error only when it is told to stop.
Verification VerifyPublished(const BackupJob& job, const core::Manifest& manifest, RunHost& host);

/// Whether an error means that the run was told to stop: cancel, shutdown, time limit.
bool IsStop(const core::Error& error);

}  // namespace mfi::os
