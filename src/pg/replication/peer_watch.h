#pragma once

#include <string>
#include <vector>

#include "core/replication/peer_memory.h"
#include "pg/replication/replication_raw.h"
#include "pg/replication/watch_memory.h"
#include "pg/server/settings.h"

namespace mfi::pg {

/// Seconds over which rates are taken: a dozen looks.
inline double RateWindow() { return 12 * settings::sample_interval_ms / 1000.0; }

/// The watcher's memory of standbys: looks at replication again and again, keeps shared memory's peers up to date
/// (who is there, since when it is silent or missing, how fast it replays) and a small file in the data directory, so
/// that a standby gone before a restart is still missing, and since the same moment, after it. A file that cannot be
/// read or written (a full disk) is told, and tried again.
class PeerWatch {
 public:
  /// Reads the file; peers of the last run that are not connected become missing from now on.
  void Load();

  /// One look. Cheap: one pass over shared memory; the file is written only when who is there changed.
  void Sample();

 private:
  /// Since the last look, and how long rates look back.
  struct Interval {
    double elapsed_s;
    double window_s;
  };

  /// Of this look, and of the one before.
  struct Moment {
    std::int64_t now_us;
    TimestampTz looked_at;
  };

  static void See(ReplicationWatch& watch, const RawReplication& raw, std::int64_t now_us, const Interval& since);
  static void Hear(Peer& peer, const RawSender& sender, const RawSlot* slot, const Moment& moment,
                   const Interval& since);
  static void Settle(ReplicationWatch& watch, std::int64_t now_us);
  static void Miss(ReplicationWatch& watch, const RawReplication& raw);
  static void Forget(ReplicationWatch& watch, const RawReplication& raw);
  static void Measure(ReplicationWatch& watch, const RawReplication& raw, const Interval& since);
  static void RememberSample(const ReplicationWatch& watch, const RawReplication& raw);
  void Save(const ReplicationWatch& watch);
  static void Tell(const std::string& unsaved);

  std::vector<core::RememberedPeer> saved_;
  std::int64_t save_after_us_ = 0;  // after a failure
};

}  // namespace mfi::pg
