#include "core/backup/retention.h"

#include <algorithm>

namespace mfi::core {

namespace {

std::string DaysOld(std::int64_t age) {
  const std::int64_t days = age / kDay;
  if (days == 0) return "less than a day old";
  return std::to_string(days) + (days == 1 ? " day old" : " days old");
}

/// The sets that count towards the floors, newest first; of two that finished together the greater id is the newer.
std::vector<const RetainedSet*> NewestFirst(std::span<const RetainedSet> sets, UtcSeconds now) {
  std::vector<const RetainedSet*> own;
  for (const RetainedSet& set : sets) {
    if (!set.foreign && set.finished <= now) own.push_back(&set);
  }
  std::sort(own.begin(), own.end(), [](const RetainedSet* a, const RetainedSet* b) {
    return a->finished != b->finished ? a->finished > b->finished : a->id > b->id;
  });
  return own;
}

template <typename Condition>
const RetainedSet* FirstWhere(const std::vector<const RetainedSet*>& sets, Condition condition) {
  const auto found = std::find_if(sets.begin(), sets.end(), [&](const RetainedSet* set) { return condition(*set); });
  return found == sets.end() ? nullptr : *found;
}

}  // namespace

std::vector<RetentionDecision> PlanRetention(std::span<const RetainedSet> sets, const RetentionRule& rule,
                                             UtcSeconds now) {
  const auto aged = [&](const RetainedSet& set) { return now - set.finished >= rule.retain_days * kDay; };
  const std::vector<const RetainedSet*> newest = NewestFirst(sets, now);
  const RetainedSet* newest_verified = FirstWhere(newest, [](const RetainedSet& set) { return set.verified; });
  const RetainedSet* youngest_aged = FirstWhere(newest, aged);
  const auto kept_end = newest.begin() + std::clamp<std::ptrdiff_t>(rule.min_keep, 0, std::ssize(newest));

  std::vector<RetentionDecision> decisions;
  decisions.reserve(sets.size());
  for (const RetainedSet& set : sets) {
    const auto keep = [&](const std::string& why) { decisions.push_back({set.id, true, "kept: " + why}); };
    const std::string limit = std::to_string(rule.retain_days);
    const std::string age = DaysOld(now - set.finished);
    if (set.foreign) {
      keep("written by another cluster and not adopted");
    } else if (set.held) {
      keep(set.hold_reason.empty() ? "held" : "held: " + set.hold_reason);
    } else if (set.finished > now) {
      keep("finished in the future, the clock was set back");
    } else if (&set == newest_verified) {
      keep("newest verified set");
    } else if (std::find(newest.begin(), kept_end, &set) != kept_end) {
      keep("one of the newest " + std::to_string(rule.min_keep) + " good sets");
    } else if (!aged(set)) {
      keep(age + ", keep " + limit);
    } else if (&set == youngest_aged) {
      keep("the only set to go back " + limit + " days until a younger one is that old");
    } else if (rule.keep_uncopied && set.uncopied) {
      keep(age + ", and not copied elsewhere yet");
    } else {
      decisions.push_back({set.id, false, "deleted: " + age + ", keep " + limit});
    }
  }
  return decisions;
}

std::vector<RetentionDecision> PlanFailedRetention(std::span<const RetainedSet> sets, const RetentionRule& rule,
                                                   UtcSeconds now) {
  const std::vector<const RetainedSet*> newest = NewestFirst(sets, now);
  const auto kept_end = newest.begin() + std::min<std::ptrdiff_t>(rule.FailedMost(), std::ssize(newest));
  const std::string failed = "failed its verification, ";
  std::vector<RetentionDecision> decisions;
  for (const RetainedSet& set : sets) {
    const std::string age = DaysOld(now - set.finished) + ", keep " + std::to_string(rule.FailedDays());
    if (set.foreign) {
      decisions.push_back({set.id, true, "kept: " + failed + "written by another cluster and not adopted"});
    } else if (set.held || set.finished > now) {
      decisions.push_back({set.id, true, "kept: " + failed + (set.held ? "held" : "finished in the future")});
    } else if (now - set.finished >= rule.FailedDays() * kDay) {
      decisions.push_back({set.id, false, "deleted: " + failed + age});
    } else if (std::find(newest.begin(), kept_end, &set) == kept_end) {
      decisions.push_back(
          {set.id, false, "deleted: " + failed + "not one of the newest " + std::to_string(rule.FailedMost())});
    } else {
      decisions.push_back({set.id, true, "kept: " + failed + age});
    }
  }
  return decisions;
}

}  // namespace mfi::core
