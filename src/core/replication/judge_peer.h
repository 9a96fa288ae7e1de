#pragma once

#include <optional>
#include <string>

#include "core/replication/replication.h"

// What is judged alike of a standby of this node and of its upstream. Each function adds what it finds to the row `p`,
// and to its reasons.
namespace mfi::core {

inline constexpr char kRejoinStep[] =
    "It is on another timeline: stop it, and make it a standby with mfi rejoin (pg_rewind, or a clone).";

/// `3 min`, of seconds.
std::string RoundedDuration(double seconds);

void AddReason(Reasons& reasons, Verdict verdict, const char* code, std::string sentence, std::string next_step);

/// When it will have caught up, at its rate of replay (bytes per second), or that it never does. Needs `p.lag_bytes`.
void JudgeCatchUp(PeerStatus& p, const std::optional<double>& replay_rate, const ReplicationFacts& facts,
                  const ReplicationLimits& limits);

/// `skew_s`: the other clock less ours.
void JudgeClock(PeerStatus& p, const std::optional<double>& skew_s);

/// Adds the reason `code` when `p.lag_bytes` is beyond a limit; `who` begins its sentence. After JudgeCatchUp.
void JudgeLag(PeerStatus& p, const char* code, const std::string& who, const ReplicationFacts& facts,
              const ReplicationLimits& limits);

/// The same for `p.silent_for_s`. Silence within the link's bound means nothing, so the limits are never below it.
void JudgeSilence(PeerStatus& p, const char* code, const std::string& who, const SilenceBound& bound,
                  const ReplicationFacts& facts, const ReplicationLimits& limits);

/// Makes the row's summary of what it holds by then.
void Summarise(PeerStatus& p);

}  // namespace mfi::core
