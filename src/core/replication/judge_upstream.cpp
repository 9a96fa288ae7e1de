#include "core/replication/judge_upstream.h"

#include <algorithm>

#include "core/replication/judge_peer.h"

namespace mfi::core {

PeerStatus JudgeUpstream(const ReplicationFacts& facts, const ReplicationLimits& limits) {
  const ReceiverFacts& r = facts.receiver;
  PeerStatus p;
  p.peer = r.name;
  p.state = r.running ? r.state : "disconnected";
  p.flush = r.flushed;
  p.replay = facts.current;
  p.slot_name = r.slot_name;
  p.silent_for_s = r.silent_for_s;
  const Lsn known_end = std::max(r.upstream_end, r.flushed);
  if (facts.current > known_end && r.running && known_end != 0) {
    AddReason(
        p.reasons, Verdict::kCritical, "standby-diverged",
        "this standby has replayed to " + FormatLsn(facts.current) + ", beyond the upstream's " + FormatLsn(known_end),
        "It left the upstream's timeline: stop this server and run mfi rejoin (pg_rewind, or a clone).");
  } else if (known_end != 0) {
    p.lag_bytes = static_cast<std::int64_t>(known_end - std::min(known_end, facts.current));
  }
  if (!r.running) {
    const bool long_gone = r.silent_for_s.value_or(0) >= limits.silence_critical_s;
    const std::string heard = r.silent_for_s ? ", last heard " + RoundedDuration(*r.silent_for_s) + " ago" : "";
    AddReason(p.reasons, long_gone ? Verdict::kCritical : Verdict::kWarning, "upstream-lost",
              "no WAL receiver is running" + heard + ": what is written on the upstream does not arrive",
              "Look at the upstream, at primary_conninfo and at this server's log.");
  } else if (r.state != "streaming") {
    AddReason(
        p.reasons, r.state == "waiting" ? Verdict::kCritical : Verdict::kWarning, "receiver-not-streaming",
        "the WAL receiver is in state " + r.state,
        "Read this server's log; when it says that a timeline forked off before the recovery point, this standby has "
        "diverged: run pg_rewind or clone it anew.");
  }
  JudgeCatchUp(p, facts.replay_bytes_per_s, facts, limits);
  JudgeClock(p, r.clock_skew_s);
  JudgeLag(p, "replay-behind", "replay", facts, limits);
  if (r.running) JudgeSilence(p, "upstream-silent", p.peer, r.may_stay_silent, facts, limits);
  if (facts.replay_paused) {
    AddReason(p.reasons, Verdict::kWarning, "replay-paused", "replay is paused on this standby",
              "SELECT pg_wal_replay_resume() when it is no longer wanted.");
  }
  Summarise(p);
  return p;
}

}  // namespace mfi::core
