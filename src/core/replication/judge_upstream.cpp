#include "core/replication/judge_upstream.h"

#include <algorithm>

#include "core/replication/judge_peer.h"

namespace mfi::core {
namespace {

/// A standby ahead of its upstream for so long has not only been quicker than an upstream that was restarted.
constexpr double kSettled = 2;
/// So long may a primary write nothing, so that no file comes.
constexpr double kNoFileFor = 3600;

constexpr char kFilesStep[] =
    "Look at the primary's archive_command and at this server's restore_command; archive_timeout = 5min on the primary "
    "makes a file come at least that often while it is in use.";

/// WAL comes as files alone: what is still to come nobody here knows, only whether something comes.
void JudgeFiles(PeerStatus& p, const ReplicationFacts& facts) {
  if (facts.replay_paused || facts.replay_delayed) return;
  const double stands_s = facts.replay_stands_for_s.value_or(0);
  if (stands_s < kNoFileFor) return;
  AddReason(p.reasons, Verdict::kWarning, "archive-silent",
            "this standby is fed by WAL files alone, and none has come for " + RoundedDuration(stands_s) +
                ": either nothing was written or the archive does not arrive",
            kFilesStep);
}

void JudgeReceiver(PeerStatus& p, const ReplicationFacts& facts, const ReplicationLimits& limits) {
  const ReceiverFacts& r = facts.receiver;
  if (r.running) {
    if (r.state == "streaming") return;
    AddReason(
        p.reasons, r.state == "waiting" ? Verdict::kCritical : Verdict::kWarning, "receiver-not-streaming",
        "the WAL receiver is in state " + r.state,
        "Read this server's log; when it says that a timeline forked off before the recovery point, this standby has "
        "diverged: run pg_rewind or clone it anew.");
    return;
  }
  const double silent_s = r.silent_for_s.value_or(0);
  // restore_command fills in for the stream, file by file.
  const double stands_s = facts.replay_stands_for_s.value_or(silent_s);
  const bool goes_on = stands_s < limits.silence_critical_s && silent_s > stands_s + limits.silence_warning_s;
  const bool critical = silent_s >= limits.silence_critical_s && !goes_on;
  const std::string heard = r.silent_for_s ? ", last heard " + RoundedDuration(*r.silent_for_s) + " ago" : "";
  AddReason(p.reasons, critical ? Verdict::kCritical : Verdict::kWarning, "upstream-lost",
            "no WAL receiver is running" + heard +
                (goes_on ? ": WAL comes from the archive alone, a file at a time"
                         : ": what is written on the upstream does not arrive"),
            "Look at the upstream, at primary_conninfo and at this server's log.");
}

void JudgePause(PeerStatus& p, const ReplicationFacts& facts) {
  if (!facts.replay_paused) return;
  if (facts.low_settings.empty()) {
    AddReason(p.reasons, Verdict::kWarning, "replay-paused", "replay is paused on this standby",
              "SELECT pg_wal_replay_resume() when it is no longer wanted.");
    return;
  }
  std::string names;
  for (const LowSetting& low : facts.low_settings) names += (names.empty() ? "" : ", ") + low.name;
  AddReason(p.reasons, Verdict::kCritical, "standby-settings-low",
            "replay has stopped by itself, as a standby must not be set lower than its primary, and it is in " + names,
            "Set " + RaiseThem(facts.low_settings) +
                " and restart this server. Do not resume replay: pg_wal_replay_resume() would end it.");
}

}  // namespace

PeerStatus JudgeUpstream(const ReplicationFacts& facts, const ReplicationLimits& limits) {
  const ReceiverFacts& r = facts.receiver;
  PeerStatus p;
  p.replay = facts.current;
  if (r.wanted) {
    p.peer = r.name;
    p.state = r.running ? r.state : "disconnected";
    p.flush = r.flushed;
    p.slot_name = r.slot_name;
    p.silent_for_s = r.silent_for_s;
  } else {
    p.peer = "archive";
    p.state = "archive";
  }
  const Lsn known_end = r.wanted ? std::max(r.upstream_end, r.flushed) : 0;
  const bool ahead = r.running && r.upstream_end != 0 && facts.current > known_end;
  if (ahead && facts.replay_stands_for_s.value_or(kSettled) >= kSettled) {
    AddReason(
        p.reasons, Verdict::kCritical, "standby-diverged",
        "this standby has replayed to " + FormatLsn(facts.current) + ", beyond the upstream's " + FormatLsn(known_end),
        "It left the upstream's timeline: stop this server and run mfi rejoin (pg_rewind, or a clone).");
  } else if (known_end != 0) {
    p.lag_bytes = static_cast<std::int64_t>(known_end - std::min(known_end, facts.current));
  }
  if (r.wanted) {
    JudgeReceiver(p, facts, limits);
  } else {
    JudgeFiles(p, facts);
  }
  JudgeClock(p, r.clock_skew_s);
  if (!facts.replay_delayed) {
    JudgeCatchUp(p, facts.replay_bytes_per_s, facts, limits);
    JudgeLag(p, "replay-behind", "replay", facts, limits);
  }
  if (r.wanted && r.running) JudgeSilence(p, "upstream-silent", p.peer, facts.upstream_bound, facts, limits);
  JudgePause(p, facts);
  Summarise(p);
  if (facts.replay_delayed) p.summary += ", delayed on purpose by recovery_min_apply_delay";
  return p;
}

}  // namespace mfi::core
