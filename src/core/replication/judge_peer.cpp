#include "core/replication/judge_peer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/timestamp.h"
#include "core/replication/replication_node.h"

namespace mfi::core {
namespace {

/// Above this, times of the two nodes cannot be compared by eye.
constexpr double kClockSkewLimit = 5;

/// A healthy link speaks within its bound, a busy machine a little later: so many bounds of silence mean something.
constexpr double kSilenceWarning = 1.5;
constexpr double kSilenceCritical = 2.5;

std::string Outlook(const PeerStatus& p) {
  if (p.never_catches_up) return ", and never catches up like this: replay is slower than writes";
  return p.catchup_eta_s ? ", caught up in about " + RoundedDuration(*p.catchup_eta_s) : "";
}

}  // namespace

std::string RoundedDuration(double seconds) { return FormatDuration(std::llround(seconds)); }

void AddReason(Reasons& reasons, Verdict verdict, const char* code, std::string sentence, std::string next_step) {
  reasons.push_back({verdict, code, std::move(sentence), std::move(next_step)});
}

void JudgeCatchUp(PeerStatus& p, const std::optional<double>& replay_rate, const ReplicationFacts& facts,
                  const ReplicationLimits& limits) {
  if (p.lag_bytes.value_or(0) <= 0 || !replay_rate || !facts.wal_bytes_per_s) return;
  const double gain = *replay_rate - *facts.wal_bytes_per_s;
  if (gain > 0) {
    p.catchup_eta_s = static_cast<double>(*p.lag_bytes) / gain;
  } else {
    // A short way behind, replay and writing alternate: neither figure says anything yet.
    p.never_catches_up = *p.lag_bytes >= limits.lag_warning_bytes;
  }
}

void JudgeClock(PeerStatus& p, const std::optional<double>& skew_s) {
  if (!skew_s || std::abs(*skew_s) < kClockSkewLimit) return;
  AddReason(p.reasons, Verdict::kWarning, "clock-skew",
            "the clock of " + p.peer + " is " + RoundedDuration(std::abs(*skew_s)) +
                (*skew_s > 0 ? " ahead of" : " behind") + " this node's",
            "Let both machines set their clocks by NTP (chrony or systemd-timesyncd).");
}

void JudgeLag(PeerStatus& p, const char* code, const std::string& who, const ReplicationFacts& facts,
              const ReplicationLimits& limits) {
  if (!p.lag_bytes) return;
  const std::int64_t lag = *p.lag_bytes;
  if (lag < 0) {
    AddReason(p.reasons, Verdict::kCritical, "standby-diverged",
              p.peer + " has replayed " + FormatBytes(-lag) + " more than this node has written", kRejoinStep);
  } else if (lag >= limits.lag_warning_bytes) {
    const bool critical = lag >= limits.lag_critical_bytes;
    if (facts.standby_dumped && !critical) {
      AddReason(p.reasons, Verdict::kWarning, "standby-dumping",
                who + " is " + FormatBytes(lag) + " behind while a backup is dumped from the standby",
                "It catches up when the dump is done; with hot_standby_feedback = on a dump holds up nothing.");
      return;
    }
    AddReason(p.reasons, critical ? Verdict::kCritical : Verdict::kWarning, code,
              who + " is " + FormatBytes(lag) + " behind" + Outlook(p),
              "Look at load, network and long queries on the standby (mfi.lag_warning and mfi.lag_critical are the "
              "limits).");
  }
}

void JudgeSilence(PeerStatus& p, const char* code, const std::string& who, const SilenceBound& bound,
                  const ReplicationFacts& facts, const ReplicationLimits& limits) {
  if (!p.silent_for_s) {
    const std::string because = facts.not_looked_for_s ? ": " + NotLooked(*facts.not_looked_for_s) : "";
    AddReason(p.reasons, Verdict::kUnknown, "cannot-know",
              "how long " + who + " has been silent is not known" + because,
              facts.not_looked_for_s ? kWatcherStep
              : facts.watched        ? "The first figures come with the watcher's next look."
                                     : kLibraryStep);
    return;
  }
  const double silent_s = *p.silent_for_s;
  const double bound_s = bound.seconds.value_or(0);
  if (silent_s < std::max(limits.silence_warning_s, kSilenceWarning * bound_s)) return;
  if (!bound.seconds) {
    AddReason(p.reasons, Verdict::kUnknown, "cannot-know",
              who + " has said nothing for " + RoundedDuration(silent_s) + ", which " + bound.setting + " = 0 allows",
              "Set " + bound.setting + " to 60s, so that a dead link can be told from an idle one.");
    return;
  }
  const bool critical = silent_s >= std::max(limits.silence_critical_s, kSilenceCritical * bound_s);
  AddReason(p.reasons, critical ? Verdict::kCritical : Verdict::kWarning, code,
            who + " has said nothing for " + RoundedDuration(silent_s),
            "A process that hangs or a network that swallows packets: look at both nodes' logs and at the network.");
}

void Summarise(PeerStatus& p) {
  p.summary = p.peer + ": " + p.state;
  if (p.lag_bytes) p.summary += ", " + FormatBytes(*p.lag_bytes) + " behind";
  if (p.silent_for_s) p.summary += ", heard " + RoundedDuration(*p.silent_for_s) + " ago";
  if (p.missing_since) p.summary += " since " + FormatIso(*p.missing_since);
  if (!p.slot_name.empty() && p.slot_wal_status == "lost") {
    p.summary += ", slot " + p.slot_name + " is lost";
  } else if (!p.slot_name.empty() && p.slot_retained_bytes) {
    p.summary += ", slot " + p.slot_name + " keeps " + FormatBytes(*p.slot_retained_bytes);
  }
}

}  // namespace mfi::core
