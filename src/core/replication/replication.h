#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/low_setting.h"
#include "core/base/lsn.h"
#include "core/base/time.h"
#include "core/base/verdict.h"

namespace mfi::core {

/// What has been replayed of a WAL that is known to reach to `end`. A standby that replays a switch to the next file
/// stands at that file's begin at once, before the empty rest of the old one has been written or has arrived: such a
/// rest is left out.
Lsn ReplayedOf(Lsn end, Lsn replay, Lsn file_bytes);

/// A peer's own name: what it calls itself, unless that is libpq's default and its slot says more.
std::string PeerName(const std::string& application_name, const std::string& slot_name);

/// Whether who receives WAL is a standby. A standby reports what it has replayed; a base backup or pg_receivewal never
/// does, and counts only when it keeps WAL by a slot that outlives it. `logical`: it, or its slot, is of logical
/// replication.
bool IsStandby(bool logical, Lsn replayed, bool has_lasting_slot);

/// A walsender of this node, as shared memory shows it.
struct WalSenderFacts {
  int pid = 0;
  std::string application_name;
  std::string address;     // of the standby; empty: this machine, by a socket
  std::string state;       // startup | backup | catchup | streaming | stopping
  std::string sync_state;  // async | potential | sync | quorum
  Lsn sent = 0;
  Lsn write = 0;
  Lsn flush = 0;
  Lsn replay = 0;
  std::optional<std::int64_t> write_lag_us;
  std::optional<std::int64_t> flush_lag_us;
  std::optional<std::int64_t> replay_lag_us;
  bool logical = false;
};

/// A replication slot of this node.
struct SlotFacts {
  std::string name;
  int active_pid = 0;
  bool logical = false;
  bool temporary = false;
  std::string wal_status;  // reserved | extended | unreserved | lost; empty: nothing reserved yet
  std::optional<std::int64_t> retained_bytes;
  std::optional<std::int64_t> safe_bytes;  // negative is normal shortly before the slot is lost
  std::optional<std::int64_t> xmin_age;    // transactions since the oldest one whose dead rows it keeps
};

/// What the watcher has learned of a standby by looking again and again.
struct WatchedPeer {
  std::string name;
  std::string slot_name;
  std::string address;
  bool connected = false;
  int walsender_pid = 0;
  std::optional<double> silent_for_s;  // since its last reply, by our own clock
  std::optional<UtcSeconds> missing_since;
  std::optional<double> replay_bytes_per_s;
  std::optional<double> slot_bytes_per_s;  // how fast its slot lets WAL go, over a longer time
  std::optional<double> clock_skew_s;      // its clock less ours
  bool beside = false;       // it came while another of its name was connected, who has not been heard since
  int looks_in_startup = 0;  // it is connected, and does not begin to stream
};

/// The receiving side of a standby.
struct ReceiverFacts {
  bool wanted = true;  // primary_conninfo is set; else WAL comes as files alone
  bool running = false;
  std::string state;              // stopped | starting | streaming | waiting | restarting | stopping
  std::string name = "upstream";  // host:port, when known
  std::string slot_name;
  Lsn flushed = 0;
  Lsn upstream_end = 0;  // what the upstream said it has
  std::optional<double> silent_for_s;
  int timeline = 0;
  std::optional<double> clock_skew_s;  // the upstream's clock less ours
};

/// Where WAL lies.
struct WalDiskFacts {
  std::optional<std::int64_t> free_bytes;
  std::int64_t max_wal_bytes = 0;  // max_wal_size: what WAL takes when all is well
};

struct ArchiverFacts {
  bool failing = false;  // its last attempt failed
  std::string failed_file;
  std::int64_t failed_count = 0;
  std::optional<UtcSeconds> last_success;
};

/// The other node, as this one last saw it through mfi.peer_conninfo.
struct ProbeFacts {
  bool configured = false;
  bool in_recovery = false;
  int timeline = 0;
  std::string system_identifier;
  std::optional<double> seen_ago_s;   // since it last answered; unset: never since the server started
  std::optional<double> tried_for_s;  // since the first attempt
  std::string error;                  // of the last attempt; empty: it answered
};

/// How long a healthy link may say nothing, by the settings of its time-outs.
struct SilenceBound {
  std::optional<double> seconds = 0;  // unset: for ever
  std::string setting;                // which one says so
};

struct ReplicationFacts {
  bool in_recovery = false;
  int timeline = 0;
  UtcSeconds now = 0;
  Lsn current = 0;  // end of WAL on a primary, replay position on a standby
  Lsn written = 0;  // how far it can send: the same on a primary, what has been received on a standby
  bool replay_paused = false;
  bool replay_delayed = false;  // on purpose, by recovery_min_apply_delay
  std::vector<LowSetting> low_settings;
  std::optional<double> replay_stands_for_s;  // since replay last came further
  SilenceBound upstream_bound;                // of what this standby hears
  SilenceBound standby_bound;                 // of what standbys say to this node
  int unwatched_standbys = 0;                 // more are connected than the watcher can remember
  bool standby_dumped = false;                // a backup is being dumped from this standby, or from one of this primary
  bool watched = false;                       // a watcher of this node keeps WatchedPeer up to date
  std::optional<double> not_looked_for_s;     // it should, but has not done so for so long: what it knew may be untrue
  std::optional<double> wal_bytes_per_s;      // written here, or sent by the upstream: lately
  std::optional<double> wal_bytes_per_s_trend;  // the same over a longer time, for foresight
  std::optional<double> replay_bytes_per_s;     // of this standby
  bool slots_unbounded = false;                 // max_slot_wal_keep_size = -1
  int sync_standbys_wanted = 0;                 // by synchronous_standby_names
  std::string system_identifier;
  WalDiskFacts wal_disk;
  ArchiverFacts archiver;
  ProbeFacts probe;
  std::vector<WalSenderFacts> senders;
  std::vector<SlotFacts> slots;
  std::vector<WatchedPeer> watched_peers;
  ReceiverFacts receiver;
  std::vector<std::string> expected;  // mfi.expected_standbys, without the word none
  bool none_expected = false;         // it is the word none
};

struct ReplicationLimits {
  std::int64_t lag_warning_bytes = 0;
  std::int64_t lag_critical_bytes = 0;
  double silence_warning_s = 0;
  double silence_critical_s = 0;
};

/// One row of mfi_replication_status().
struct PeerStatus {
  Reasons reasons;
  std::string summary;
  std::string peer;
  std::string state;
  std::string sync_state;
  Lsn sent = 0;
  Lsn write = 0;
  Lsn flush = 0;
  Lsn replay = 0;
  std::optional<std::int64_t> lag_bytes;
  std::optional<std::int64_t> write_lag_us;
  std::optional<std::int64_t> flush_lag_us;
  std::optional<std::int64_t> replay_lag_us;
  std::optional<double> silent_for_s;
  std::string slot_name;
  std::string slot_wal_status;
  std::optional<std::int64_t> slot_retained_bytes;
  std::optional<std::int64_t> slot_safe_bytes;
  std::optional<UtcSeconds> missing_since;
  std::optional<double> catchup_eta_s;
  bool never_catches_up = false;  // it falls behind further
};

/// The judgement of one node on its own replication.
struct ReplicationStatus {
  std::vector<PeerStatus> peers;  // may be empty: a primary that has and expects no standby
  Reasons node_reasons;           // not tied to one peer
  int expected = 0;
  int connected = 0;

  /// All reasons, gravest first.
  Reasons AllReasons() const;
};

ReplicationStatus JudgeReplication(const ReplicationFacts& facts, const ReplicationLimits& limits);

}  // namespace mfi::core
