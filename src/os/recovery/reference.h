#pragma once

#include <functional>
#include <string>

#include "core/backup/contents.h"
#include "core/base/lsn.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_job.h"

namespace mfi::os {

/// What a database held at a position in WAL: what a recovery to there must show again.
struct Reference {
  core::Lsn lsn = 0;     // the end of a record
  std::string snapshot;  // of a primary: who had committed by then for the one who counted; empty: all before `lsn`
  core::Contents contents;
  std::string words;  // what it is
};

/// Told before replay is paused, and when it goes on.
using PauseTeller = std::function<void(bool paused)>;

/// Counts and hashes what mfi.database holds on this node now. On a standby replay is paused for the moment that it
/// takes to open a snapshot, so that the position is exact.
Reference TakeReference(const RecoveryJob& job, Waiter& waiter, const PauseTeller& tell);

}  // namespace mfi::os
