#pragma once

#include <cstdint>
#include <string>

#include "core/recovery/base_record.h"
#include "core/recovery/history.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

/// Lays WAL of the store out for a server that replays what lies in its pg_wal: always some of it ahead of what has
/// been replayed, so that a month of WAL needs no more room than an hour of it.
class WalFeeder {
 public:
  /// `base`: what the server was made from. `data_directory`: its own.
  WalFeeder(const RecoveryStore& store, core::History history, const core::BaseRecord& base,
            std::string data_directory);

  /// Gives the server the history of the timeline that it shall follow.
  void LayOutHistory() const;

  /// For the server WAL ends at `until`, in the middle of a segment, too: what follows are zeros. Only ever further.
  void LetReach(core::Lsn until);

  /// Lays out what the base needs and what may be needed after `replayed`; true when all of it lies there. Throws
  /// Error(kUndefinedFile) when a segment is missing, Error(kDataCorrupted) when it is damaged or another one.
  bool Feed(core::Lsn replayed, Waiter& waiter);

  /// From now on further ahead, for a record that is longer than what lies there: as far as one can be. False: it does.
  bool GoFurther();

 private:
  void LayOut(std::uint64_t number, Waiter& waiter);
  void CheckHeader(const std::string& path, const core::Segment& segment) const;

  const RecoveryStore& store_;
  core::History history_;
  std::int64_t segment_bytes_;
  std::string system_identifier_;
  core::Lsn base_end_;
  std::string data_directory_;
  core::Lsn until_ = 0;
  core::Lsn ahead_;     // of what has been replayed
  core::Lsn laid_out_;  // up to here
};

}  // namespace mfi::os
