#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/schedule/schedule.h"

namespace mfi::core {

/// Why a run was started.
enum class Trigger { kSchedule, kStart, kManual, kCatchUp, kRetry };

/// `schedule`, `start`, `manual`, `catch-up`, `retry`.
std::string_view ToString(Trigger trigger);
/// nullopt for any other text.
std::optional<Trigger> ParseTrigger(std::string_view text);

/// A run slower than this after its slot is called a catch-up.
inline constexpr std::int64_t kLateAfter = 5 * kMinute;
/// A verified set this young at server start makes the run on start needless.
inline constexpr std::int64_t kFreshOnStart = kHour;
/// First attempt and three retries.
inline constexpr int kMaxAttempts = 4;

/// What the planner needs of one run record.
struct PastRun {
  Trigger trigger = Trigger::kManual;
  /// The slot it ran for; empty for start and manual runs, and for the retry of a start run.
  std::string slot_key;
  /// The schedule (text and zone) in force when it was queued, for every trigger.
  std::string schedule_id;
  UtcSeconds queued_at = 0;
  /// Absent: it runs now (PlanInput::run_in_progress) or was interrupted, which counts as failed at queued_at.
  std::optional<UtcSeconds> finished_at;
  bool succeeded = false;
  bool cancelled = false;
  /// Start of the postmaster that queued it.
  UtcSeconds server_start = 0;
  /// 1 for the first run, 2 to kMaxAttempts for its retries.
  int attempt = 1;
};

struct PlanInput {
  /// Null when the schedule is off or invalid.
  const Schedule* schedule = nullptr;
  /// Text and zone of `schedule`.
  std::string schedule_id;
  UtcSeconds now = 0;
  /// Since when the launcher has known this schedule without a break.
  UtcSeconds watching_since = 0;
  /// Start of this postmaster.
  UtcSeconds server_start = 0;
  bool backup_on_start = false;
  /// All known runs, in any order.
  std::span<const PastRun> history;
  /// When the newest verified set finished.
  std::optional<UtcSeconds> newest_verified_finished;
  bool run_in_progress = false;
};

struct DueRun {
  Trigger trigger = Trigger::kSchedule;
  std::string slot_key;
  int attempt = 1;

  friend bool operator==(const DueRun&, const DueRun&) = default;
};

struct Plan {
  /// What to start now. Never set while a run is in progress.
  std::optional<DueRun> due;
  /// What starts by itself next, always later than `now` (so that it can time a wait): a slot or a retry.
  std::optional<UtcSeconds> next_run_at;
  std::optional<Trigger> next_trigger;
};

/// Decides what to start. The rules:
/// - Only the last slot at or before now counts, so however many were missed there is one catch-up. It is due
///   unless its key is in the history (then it never runs again, wherever the clock goes), and provided that it
///   was awaited: it came after `watching_since`, or the last run queued before it was under this very schedule
///   (missed while the server was down), or the clock was set back below `watching_since` and the slot is on time.
/// - On start: one run per server start, unless a run other than a manual one was already queued since that start, or a
///   verified set was less than an hour old then. A slot that is due, or its pending retry, stands for it.
/// - A failed slot or start run is retried 5, 15 and 45 minutes after the failure, always before the next slot, unless
///   one of its attempts was cancelled or a verified set has come since. Manual runs are not retried.
Plan MakePlan(const PlanInput& input);

/// When a set that `attempts` proofs have not proven, for reasons of their own, is to be proven again; nullopt: not any
/// more by itself.
std::optional<UtcSeconds> NextProof(int attempts, UtcSeconds tried_at);

}  // namespace mfi::core
