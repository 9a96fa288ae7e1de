#pragma once

#include <cstdint>
#include <string>

#include "core/recovery/history.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_job.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

/// What pg_waldump says of WAL in a store, in English and UTC.
class WalDump {
 public:
  /// `work_directory` exists and is for this alone: segments are decoded into it, and stay.
  WalDump(const RecoveryJob& job, const RecoveryStore& store, core::History history, std::int64_t segment_bytes,
          std::string work_directory, Waiter& waiter);

  /// What it prints of the records from `start` on, to `end`; `more`: an option of it.
  std::string Print(core::Lsn start, core::Lsn end, const std::string& more);

  std::int64_t segment_bytes() const { return segment_bytes_; }

 private:
  void Decode(std::uint64_t number);

  const RecoveryJob& job_;
  const RecoveryStore& store_;
  core::History history_;
  std::int64_t segment_bytes_;
  std::string work_directory_;
  Waiter& waiter_;
};

}  // namespace mfi::os
