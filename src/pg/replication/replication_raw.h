#pragma once

#include <cstdint>
#include <string>

#include "pg/replication/watch_memory.h"
#include "pg/server/pg.h"

extern "C" {
#include "access/xlogdefs.h"
}

// The server's replication structs, copied into plain arrays under their locks. The layouts belong to a major version:
// replication_raw.cpp is the only file that reads them.
namespace mfi::pg {

struct RawSender {
  int pid;
  char application_name[NAMEDATALEN];
  char address[kAddressLength];  // empty: by a socket of this machine
  const char* state;
  const char* sync_state;
  XLogRecPtr sent;
  XLogRecPtr write;
  XLogRecPtr flush;
  XLogRecPtr replay;
  std::int64_t write_lag_us;  // -1: unknown
  std::int64_t flush_lag_us;
  std::int64_t replay_lag_us;
  TimestampTz reply_time;
  bool logical;
};

struct RawSlot {
  char name[NAMEDATALEN];
  int active_pid;
  bool logical;
  bool temporary;
  const char* wal_status;  // "" when nothing is reserved yet
  XLogRecPtr restart_lsn;  // 0 when nothing is kept
  bool has_safe_bytes;
  std::int64_t safe_bytes;
  std::int64_t xmin_age;  // -1: it keeps no rows
};

struct RawReceiver {
  bool running;
  const char* state;
  char host[256];
  int port;
  char slot_name[NAMEDATALEN];
  XLogRecPtr flushed;
  XLogRecPtr upstream_end;
  TimestampTz last_message_at;       // 0: none since this server started
  TimestampTz last_message_sent_at;  // by the upstream's clock
  int timeline;
};

/// Only then does last_message_at mean a message: a receiver that starts sets it too, every few seconds while its
/// upstream is dead.
inline bool IsStreaming(const RawReceiver& receiver) {
  return receiver.running && strcmp(receiver.state, "streaming") == 0;
}

struct RawReplication {
  bool in_recovery;
  int timeline;
  XLogRecPtr current;
  XLogRecPtr written;  // how far it can send
  bool replay_paused;
  bool slots_unbounded;
  int sync_standbys_wanted;
  int sender_count;
  RawSender* senders;
  int slot_count;
  RawSlot* slots;
  RawReceiver receiver;
};

/// How far WAL has come: written here, or known of the upstream.
inline XLogRecPtr WalEnd(const RawReplication& raw) {
  return raw.in_recovery ? Max(raw.receiver.upstream_end, raw.receiver.flushed) : raw.current;
}

/// `host:port` of the upstream, or `upstream` as long as it is not known.
std::string UpstreamName(const RawReceiver& receiver);

/// One pass over shared memory, into the current memory context.
RawReplication CollectReplication();

/// Whether a process of this server sends WAL to anybody.
bool SomebodyReceives();

}  // namespace mfi::pg
