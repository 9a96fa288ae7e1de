#pragma once

#include <string>
#include <vector>

#include "core/peer_memory.h"
#include "pg/replication_raw.h"

namespace mfi::pg {

/// The launcher's memory of standbys: looks at replication again and again, keeps shared memory's peers up to date
/// (who is there, since when it is silent or missing, how fast it replays) and a small file in the data directory, so
/// that a standby gone before a restart is still missing, and since the same moment, after it.
class PeerWatch {
 public:
  /// Reads the file; peers of the last run that are not connected become missing from now on.
  void Load();

  /// One look. Cheap: one pass over shared memory; the file is written only when who is there changed.
  void Sample();

 private:
  void See(const RawReplication& raw, const RawSender& sender, std::int64_t now_us, double elapsed_s);
  void Miss(const RawReplication& raw);
  void Forget(const RawReplication& raw);
  void Save();

  std::vector<core::RememberedPeer> saved_;
};

}  // namespace mfi::pg
