#pragma once

#include <cstdint>
#include <optional>
#include <string>

// What the probe of mfi.peer_conninfo has seen, in shared memory: the watcher asks for a probe, the probe reports, the
// verdict reads. At most one probe runs.
namespace mfi::pg {

/// What is known of the other node. Times are MonotonicMicros; 0: not yet.
struct SeenPeer {
  std::int64_t began_at_us;  // when the probe that runs, or ran last, began
  std::int64_t seen_at_us;   // its newest answer
  bool in_recovery;
  int timeline;
  char system_identifier[32];
  char error[512];  // of the last attempt; empty: it answered
};

/// Asks for the shared memory of this module; called from _PG_init while preloading.
void InitProbeMemory();

/// Called by the watcher: true when no probe runs and none was asked for within `again_after_us`. It is asked for then.
bool AskForProbe(std::int64_t again_after_us);

/// Called by a probe that begins: it is the one that runs now, and knows nothing yet. False when another one runs.
bool ClaimProbe();

/// Called by the probe: the other node answered.
void ReportPeer(bool in_recovery, int timeline, const std::string& system_identifier);

/// Called by the probe: it did not answer, or not as it must. The text may quote whoever answered.
void ReportPeerFailure(const std::string& error);

/// Called by the probe when it is to look at another node: what it has seen is not believed of that one.
void ForgetPeer();

/// Called by the probe at its end.
void ReleaseProbe();

/// What was seen last; nullopt without shared memory.
std::optional<SeenPeer> LastSeenPeer();

}  // namespace mfi::pg
