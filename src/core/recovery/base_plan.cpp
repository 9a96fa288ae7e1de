#include "core/recovery/base_plan.h"

#include <algorithm>
#include <tuple>

namespace mfi::core {
namespace {

bool FailedItsDrill(const BaseRecord& base) { return !base.drill_result.empty() && base.drill_result != "ok"; }

/// A full one when recovery could not go on from the newest base, whatever is due.
BasePlan WithoutUsableBase(const BaseSituation& situation, const BaseRecord* newest) {
  const auto full = [](const std::string& reason, Lsn after = 0) {
    return BasePlan{BaseKind::kFull, {}, reason, after};
  };
  if (newest == nullptr) return full("there is no base yet");
  if (situation.gap) return full("WAL is missing after base " + newest->id, situation.wal_from);
  const std::vector<BaseRecord> chain = ChainOf(situation.bases, newest->id);
  if (chain.empty()) return full("the chain of base " + newest->id + " is not whole");
  if (std::any_of(chain.begin(), chain.end(), FailedItsDrill)) {
    return full("the drill of base " + newest->id + " failed", situation.wal_to);
  }
  if (!situation.chain_usable) return full("the chain of base " + newest->id + " is not usable");
  return {};
}

/// Replay of its creation would touch the place where the live server has its files.
std::string NewTablespace(const BaseSituation& situation, const BaseRecord& newest) {
  for (const BaseTablespace& tablespace : situation.tablespaces) {
    const auto& known = newest.tablespaces;
    if (std::find(known.begin(), known.end(), tablespace) == known.end()) {
      return "tablespace " + std::to_string(tablespace.oid) + " was made since base " + newest.id;
    }
  }
  return {};
}

}  // namespace

const BaseRecord* NewestBase(const std::vector<BaseRecord>& bases) {
  const auto newest = std::max_element(bases.begin(), bases.end(), [](const BaseRecord& a, const BaseRecord& b) {
    return std::tie(a.end, a.finished_at, a.id) < std::tie(b.end, b.finished_at, b.id);
  });
  return newest == bases.end() ? nullptr : &*newest;
}

BasePlan PlanBase(const BaseSituation& situation, BaseKind wanted) {
  const BaseRecord* newest = NewestBase(situation.bases);
  if (BasePlan plan = WithoutUsableBase(situation, newest); plan.kind != BaseKind::kNone) return plan;
  if (wanted == BaseKind::kFull) return {.kind = BaseKind::kFull};
  const std::string made = NewTablespace(situation, *newest);
  if (wanted == BaseKind::kNone && made.empty()) return {};
  if (!situation.summaries) {
    return {.kind = BaseKind::kFull, .reason = "the server has no summaries of its WAL since base " + newest->id};
  }
  return {.kind = BaseKind::kIncremental, .parent = newest->id, .reason = made};
}

}  // namespace mfi::core
