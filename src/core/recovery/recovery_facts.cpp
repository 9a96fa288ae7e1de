#include "core/recovery/recovery_facts.h"

#include <algorithm>

#include "core/recovery/to_come.h"

namespace mfi::core {
namespace {

/// Without the receiver's word, what a base or a drill has shown.
std::optional<UtcSeconds> Shown(const RecoveryFacts& facts, const ReachedStretch& newest) {
  std::optional<UtcSeconds> shown;
  const auto later = [&](UtcSeconds at) {
    if (!IsToCome(at, facts.now)) shown = std::max(shown.value_or(at), at);
  };
  for (const BaseRecord& base : facts.store.bases) {
    const bool within = base.end >= newest.from_lsn && (newest.to_newest || base.end <= newest.to);
    if (within && !ChainOf(facts.store.bases, base.id).empty()) later(base.finished_at);
  }
  for (const DrillRecord& drill : facts.store.drills) {
    if (newest.to_newest && !Failed(drill) && drill.newest_time) later(*drill.newest_time);
  }
  return shown;
}

}  // namespace

std::string NameOf(const WalGap& gap, std::int64_t segment_bytes) {
  return SegmentName(gap.first, segment_bytes) + " to " + SegmentName(gap.last, segment_bytes);
}

bool Failed(const DrillRecord& drill) { return !drill.error.empty() || drill.result != "ok"; }

RecoveryReach ReachOf(const RecoveryFacts& facts) {
  RecoveryReach reach;
  const std::vector<ReachedStretch> reached = ReachOf(facts.store.bases, facts.store.line);
  if (reached.empty()) return reach;
  reach.oldest = reached.front().from;
  for (const ReachedStretch& stretch : reached) {
    if (stretch.gap) reach.gap = NameOf(*stretch.gap, facts.store.segment_bytes);
  }
  reach.newest = Shown(facts, reached.back());
  if (reached.back().to_newest && facts.receiving.complete_at) {
    reach.newest = std::max(reach.newest.value_or(0), *facts.receiving.complete_at);
  }
  return reach;
}

std::string ReceiverState(const RecoveryFacts& facts) {
  if (facts.directory.empty()) return "off";
  if (facts.receiving.receiving) return "receiving";
  return facts.receiving.there && !facts.receiving.error.empty() ? "waiting" : "starting";
}

const DrillRecord* LastDrill(const std::vector<DrillRecord>& drills, UtcSeconds now) {
  const DrillRecord* last = nullptr;
  for (const DrillRecord& drill : drills) {
    if (drill.finished_at && !IsToCome(*drill.finished_at, now)) last = &drill;
  }
  return last;
}

const DrillRecord* LastGoodDrill(const std::vector<DrillRecord>& drills, UtcSeconds now) {
  const DrillRecord* last = nullptr;
  for (const DrillRecord& drill : drills) {
    if (drill.finished_at && !IsToCome(*drill.finished_at, now) && !Failed(drill)) last = &drill;
  }
  return last;
}

}  // namespace mfi::core
