#include "core/recovery/recovery_retention.h"

#include <algorithm>
#include <limits>
#include <map>

namespace mfi::core {
namespace {

/// A full base with all that builds on it.
struct Chain {
  const BaseRecord* first = nullptr;
  std::vector<const BaseRecord*> members;

  /// By the drill of its last member that was drilled, whatever the clock was then.
  bool IsProven() const {
    const BaseRecord* drilled = nullptr;
    for (const BaseRecord* member : members) {
      if (member->drilled_at && (drilled == nullptr || member->end >= drilled->end)) drilled = member;
    }
    return drilled != nullptr && drilled->drill_result == "ok";
  }
};

/// By the id of the full base; of a chain that is not whole, each member by itself.
std::map<std::string, Chain> ChainsOf(const std::vector<BaseRecord>& bases) {
  std::map<std::string, Chain> chains;
  for (const BaseRecord& base : bases) {
    const std::vector<BaseRecord> below = ChainOf(bases, base.id);
    Chain& chain = chains[below.empty() ? base.id : below.front().id];
    if (base.full || below.empty()) chain.first = &base;
    chain.members.push_back(&base);
  }
  return chains;
}

/// The one that recovery to the window's first second begins with.
const BaseRecord* AnchorOf(const std::map<std::string, Chain>& chains, UtcSeconds window_begin) {
  const BaseRecord* anchor = nullptr;
  for (const auto& [id, chain] : chains) {
    const BaseRecord& full = *chain.first;
    if (!full.full || full.finished_at > window_begin || !chain.IsProven()) continue;
    if (anchor == nullptr || full.finished_at > anchor->finished_at) anchor = &full;
  }
  return anchor;
}

bool IsOlder(const BaseRecord& base, const BaseRecord& anchor) {
  return base.finished_at < anchor.finished_at && base.start < anchor.start;
}

}  // namespace

RecoveryRetention PlanRecoveryRetention(const std::vector<BaseRecord>& bases, std::int64_t window_seconds,
                                        UtcSeconds now) {
  const std::map<std::string, Chain> chains = ChainsOf(bases);
  const BaseRecord* anchor = AnchorOf(chains, now - window_seconds);
  RecoveryRetention plan;
  for (const auto& [id, chain] : chains) {
    if (anchor != nullptr && IsOlder(*chain.first, *anchor)) {
      std::vector<const BaseRecord*> going = chain.members;
      std::sort(going.begin(), going.end(),
                [](const BaseRecord* a, const BaseRecord* b) { return a->start > b->start; });
      for (const BaseRecord* base : going) plan.removable.push_back(base->id);
      continue;
    }
    for (const BaseRecord* base : chain.members) {
      plan.wal_from = std::min(base->start, plan.wal_from.value_or(std::numeric_limits<Lsn>::max()));
    }
  }
  return plan;
}

}  // namespace mfi::core
