#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/time.h"

namespace mfi::core {

/// A published good set, as retention sees it.
struct RetainedSet {
  std::string id;
  UtcSeconds finished = 0;
  /// Its verification result is ok.
  bool verified = false;
  bool held = false;
  /// Written by a cluster with another system identifier and not adopted.
  bool foreign = false;
  /// Why it is held; may be empty.
  std::string hold_reason;
  /// It was proven, and no copy of it is in the repository.
  bool uncopied = false;
};

struct RetentionRule {
  /// Days from finish after which a set may go; 0: at once.
  int retain_days = 7;
  /// So many of the newest good sets always stay.
  int min_keep = 3;
  /// Sets that are still to be copied elsewhere stay until they are.
  bool keep_uncopied = false;
  /// Where to: the id of a repository; empty: it has none yet.
  std::string repository = {};

  /// The same for sets that failed their verification and were set aside: a day at least, so that the next run does not
  /// take what somebody has to look at; and never more than so many of the newest, so that failing again and again does
  /// not fill the disk.
  int FailedDays() const { return retain_days < 1 ? 1 : retain_days; }
  int FailedMost() const { return min_keep < 2 ? 2 : min_keep; }
};

struct RetentionDecision {
  std::string id;
  bool keep = true;
  /// A phrase for a person: `kept: newest verified set`, `deleted: 9 days old, keep 7`.
  std::string reason;

  friend bool operator==(const RetentionDecision&, const RetentionDecision&) = default;
};

/// One decision per set, in the order of `sets`. A set goes when it has reached its age and no floor holds it:
/// foreign and held sets, the newest verified set, the newest `min_keep` sets, the youngest of those that have
/// reached the age (so that one is always that old), those that wait for their copy, and sets that finished after `now`
/// (the clock went back).
/// Foreign sets and those of the future do not count towards the other floors.
std::vector<RetentionDecision> PlanRetention(std::span<const RetainedSet> sets, const RetentionRule& rule,
                                             UtcSeconds now);

/// One decision per set that was set aside, in the order of `sets`. They fill no floor of the good ones, nor does any
/// of them stay for ever: a set goes when it has reached its age, or is not among the newest. Foreign and held ones,
/// and those of the future, stay.
std::vector<RetentionDecision> PlanFailedRetention(std::span<const RetainedSet> sets, const RetentionRule& rule,
                                                   UtcSeconds now);

}  // namespace mfi::core
