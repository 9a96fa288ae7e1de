#pragma once

#include <cstdint>
#include <string>

#include "core/base/smooth_rate.h"
#include "core/replication/clock_skew.h"
#include "pg/server/pg.h"

extern "C" {
#include "access/xlogdefs.h"
}

// What the watcher has learned of replication, in shared memory: the watcher alone reports, everybody reads the last
// report. It outlives the watcher, and ends with the server.
namespace mfi::pg {

inline constexpr int kMaxPeers = 128;
inline constexpr int kAddressLength = 48;  // of IPv6, as text

/// One standby the watcher has seen or expects.
struct Peer {
  char name[NAMEDATALEN];       // application_name
  char slot_name[NAMEDATALEN];  // empty: it streams without a slot
  char address[kAddressLength];
  bool connected;
  pid_t walsender_pid;
  TimestampTz reply_time;     // the standby's own clock, last seen
  std::int64_t came_at_us;    // our monotonic clock when this connection was first seen
  bool beside;                // it came while another of its name was connected, who has not been heard since
  std::int64_t heard_at_us;   // our monotonic clock when reply_time was last seen to change
  TimestampTz missing_since;  // 0: connected
  XLogRecPtr replay;          // at the last look
  core::SmoothRate replay_rate;
  XLogRecPtr slot_keeps_from;  // at the last look; 0: it has no slot
  core::SmoothRate slot_rate;  // how fast its slot lets WAL go, over a longer time
  core::ClockSkew clock_skew;
  int looks_in_startup;  // so many in succession found it connected without streaming
};

/// What the watcher has learned by looking again and again.
struct ReplicationWatch {
  TimestampTz sampled_at;        // the last look; 0: none yet
  std::int64_t sampled_mono_us;  // the same moment on the monotonic clock
  XLogRecPtr wal_end;            // written here, or known of the upstream
  XLogRecPtr replayed;           // on a standby
  std::int64_t replay_moved_us;  // on a standby: the monotonic clock when replay was last seen to come further
  core::SmoothRate wal_rate;
  core::SmoothRate wal_rate_trend;  // over a longer time
  core::SmoothRate replay_rate;     // on a standby
  TimestampTz upstream_heard_at;    // last message of a stream that was up; 0: none since the server began
  core::ClockSkew upstream_clock_skew;
  int unwatched;  // standbys for which there was no room
  int peer_count;
  Peer peers[kMaxPeers];
};

/// Asks for the shared memory of this module; called from _PG_init while preloading.
void InitWatchMemory();

/// Called by the watcher after a look.
void ReportWatch(const ReplicationWatch& watch);

/// The last report; all zero before the first one.
ReplicationWatch LastWatch();

/// Called by the watcher: why its file does not say what it knows; empty: it does. Returns whether this is news.
bool ReportPeersUnsaved(const std::string& why);
std::string PeersUnsaved();

}  // namespace mfi::pg
