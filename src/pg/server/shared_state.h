#pragma once

#include <cstdint>

#include "core/base/smooth_rate.h"
#include "core/replication/clock_skew.h"
#include "pg/server/pg.h"

extern "C" {
#include "access/xlogdefs.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
}

// What launcher, runner and SQL functions tell each other. Plain data in shared memory, guarded by one lock; nothing
// here is the record of anything: that is the backup directory.
namespace mfi::pg {

inline constexpr int kMaxRequests = 16;
inline constexpr int kMaxWaiting = 5;  // requests that nobody works at yet; less than kMaxRequests
inline constexpr int kMaxPeers = 32;
inline constexpr int kIdLength = 256;
inline constexpr int kNoteLength = 512;
inline constexpr int kReasonLength = 4096;

/// A run as it is handed on: from a caller of mfi_backup_now to the launcher, from the launcher to the runner.
struct RunRequest {
  char id[kIdLength];
  char trigger[16];
  char note[kNoteLength];
  char slot_key[64];
  char schedule_id[512];
  int attempt;
  std::int64_t queued_at;       // seconds UTC
  std::uint64_t verify_ticket;  // not 0: verify the set `id` instead of making one
};

/// What became of a request to verify a set.
struct VerifyAnswer {
  std::uint64_t ticket;
  bool failed;  // no verification could be made; text says why
  char text[kReasonLength];
};

enum class RunnerState { kNone, kStarting, kRunning };

/// The run in progress.
struct CurrentRun {
  RunnerState state;
  RunRequest request;
  pid_t runner_pid;
  Latch* runner_latch;
  bool cancel_requested;
  bool dumps_standby;  // what it dumps is the standby, not this node
  char phase[16];
  std::int64_t bytes;
  TimestampTz started_at;
};

/// One standby the launcher has seen or expects.
struct Peer {
  char name[NAMEDATALEN];       // application_name
  char slot_name[NAMEDATALEN];  // empty: it streams without a slot
  bool connected;
  pid_t walsender_pid;
  TimestampTz reply_time;     // the standby's own clock, last seen
  std::int64_t heard_at_us;   // our monotonic clock when reply_time was last seen to change
  TimestampTz missing_since;  // 0: connected
  XLogRecPtr replay;          // at the last look
  core::SmoothRate replay_rate;
  core::ClockSkew clock_skew;
  int looks_in_startup;  // so many in succession found it connected without streaming
};

/// What the launcher has learned of replication by looking again and again.
struct ReplicationWatch {
  TimestampTz sampled_at;        // the last look; 0: none yet
  std::int64_t sampled_mono_us;  // the same moment on the monotonic clock
  XLogRecPtr wal_end;            // written here, or known of the upstream
  XLogRecPtr replayed;           // on a standby
  core::SmoothRate wal_rate;
  core::SmoothRate wal_rate_trend;  // over a longer time
  core::SmoothRate replay_rate;     // on a standby
  TimestampTz upstream_heard_at;    // last message of a stream that was up; 0: none since the launcher began
  core::ClockSkew upstream_clock_skew;
  int peer_count;
  Peer peers[kMaxPeers];
};

/// What the probe of mfi.peer_conninfo has seen.
struct Probe {
  pid_t pid;  // 0: none runs
  std::int64_t requested_at_us;
  std::int64_t began_at_us;
  std::int64_t seen_at_us;  // 0: no answer yet
  bool in_recovery;
  int timeline;
  char system_identifier[32];
  char error[512];  // of the last attempt; empty: it answered
};

struct SharedState {
  LWLock* lock;
  ConditionVariable run_changed;  // broadcast when a request is taken, a run starts or ends

  pid_t launcher_pid;
  Latch* launcher_latch;
  TimestampTz launcher_started_at;
  std::int64_t launcher_round_us;  // monotonic: when it began what it is at, or waits after
  pid_t watcher_pid;
  char peers_unsaved[kReasonLength];        // why the memory of standbys is not on disk; empty: it is
  bool maintained;                          // the last maintainer did all of its work
  bool maintenance_waited;                  // the last maintainer met a lock
  bool maintainer_answered;                 // it came to an end by itself, or told why not
  char maintenance_failure[kReasonLength];  // of the last maintainer; empty: none
  TimestampTz next_run_at;                  // 0: none
  char next_run_trigger[16];
  char invalid_settings[kReasonLength];  // empty: all of the file's values are in force
  bool schedule_held;                    // an invalid setting keeps the schedule from running
  char last_failed_id[kIdLength];        // the newest run that failed; empty after a success
  char last_failure[kReasonLength];      // why; tells it also when no record could be written

  char notify_failure[kReasonLength];  // of the last mfi.notify_command; empty after a success

  std::int64_t last_id_at;  // seconds UTC of the newest id given out
  int waiting_count;        // of requests that the launcher has taken and not begun
  int request_count;
  RunRequest requests[kMaxRequests];
  std::uint64_t last_ticket;
  VerifyAnswer answers[kMaxRequests];
  int cancel_count;
  char cancel_ids[kMaxRequests][kIdLength];  // queued runs to be cancelled by the launcher
  CurrentRun current;

  ReplicationWatch watch;
  Probe probe;
};

/// Null when the library was not loaded by shared_preload_libraries.
SharedState* Shared();

/// Like Shared, but raises an ERROR with the way to load the library.
SharedState& RequireShared();

/// Asks for the memory and, later, finds or makes it; called from _PG_init while preloading.
void InitSharedState();

/// Whether the launcher's process is there. The caller holds no lock.
bool LauncherAlive();

/// Seconds since the launcher last came round, when that is longer than it ever takes; 0: it does. It waits for a file
/// system that does not answer, or does not run.
double LauncherStalledFor();

/// The same of the watcher.
bool WatcherAlive();

/// Wakes the launcher; nothing happens when it is not there.
void WakeLauncher();

/// Monotonic time in microseconds, comparable between the processes of one machine.
std::int64_t MonotonicMicros();

/// Exclusive or shared hold of the state's lock for the length of a block that calls nothing that can fail.
class StateLock {
 public:
  explicit StateLock(LWLockMode mode) { LWLockAcquire(Shared()->lock, mode); }
  ~StateLock() { LWLockRelease(Shared()->lock); }
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;
};

}  // namespace mfi::pg
