#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/recovery/base_record.h"
#include "core/recovery/drill_record.h"
#include "core/recovery/reach.h"
#include "core/recovery/wal_line.h"

namespace mfi::core {

/// How the WAL comes into the store.
struct ReceivingFacts {
  bool there = false;              // its process
  std::optional<double> silent_s;  // since it last came round
  bool receiving = false;
  double stands_s = 0;                    // since it last received, or came further while there was more
  std::string error;                      // why it does not receive
  std::int64_t lag_bytes = 0;             // the server has, and the store has not
  std::optional<UtcSeconds> complete_at;  // all commits of before are in the store
  std::string slot_status;                // as of pg_replication_slots; empty: there is none
  std::optional<std::int64_t> slot_retained_bytes;
  std::optional<std::int64_t> slot_safe_bytes;  // until it is lost
  std::optional<double> wal_bytes_per_s;        // as WAL is written now
};

/// What the directory holds for this node.
struct StoreFacts {
  bool silent = false;  // its file system did not answer, and it was not looked at
  std::string problem;  // empty: usable
  std::string remedy;
  bool same_device = false;  // as the data directory
  std::optional<std::int64_t> free_bytes;
  std::optional<UtcSeconds> created_at;  // nullopt: there is none yet
  std::int64_t segment_bytes = 0;
  std::vector<BaseRecord> bases;    // of this cluster, oldest first
  std::vector<DrillRecord> drills;  // oldest first
  WalLine line;
};

struct RecoveryFacts {
  UtcSeconds now = 0;
  bool preloaded = false;
  std::string directory;  // empty: recovery is off
  std::int64_t window_s = 0;
  std::int64_t target_s = 0;  // of a recovery; 0: none
  ReceivingFacts receiving;
  StoreFacts store;
  bool base_runs = false;
  std::string base_failure;             // why the last one failed, since the last that did not
  std::optional<UtcSeconds> base_due;   // a base that began since then is not stale
  std::optional<UtcSeconds> drill_due;  // nor a drill
};

/// What can be recovered, as views tell it.
struct RecoveryReach {
  std::optional<UtcSeconds> oldest;
  std::optional<UtcSeconds> newest;
  std::string gap;  // the newest between them; empty: none
};
RecoveryReach ReachOf(const RecoveryFacts& facts);

/// `000000010000000000000005 to 000000010000000000000007`.
std::string NameOf(const WalGap& gap, std::int64_t segment_bytes);

/// `off`, `starting`, `receiving` or `waiting` (to try again, by its error).
std::string ReceiverState(const RecoveryFacts& facts);

/// The last drill that came to an end by now; nullptr: none did.
const DrillRecord* LastDrill(const std::vector<DrillRecord>& drills, UtcSeconds now);

/// The last one that found what was there.
const DrillRecord* LastGoodDrill(const std::vector<DrillRecord>& drills, UtcSeconds now);

/// Whether it failed, or found other contents.
bool Failed(const DrillRecord& drill);

}  // namespace mfi::core
