#include "core/recovery/reach.h"

namespace mfi::core {

std::vector<ReachedStretch> ReachOf(const std::vector<BaseRecord>& bases, const WalLine& line) {
  std::vector<ReachedStretch> reached;
  for (std::size_t i = 0; i < line.stretches.size(); ++i) {
    const WalStretch& stretch = line.stretches[i];
    const bool newest = i + 1 == line.stretches.size();
    const BaseRecord* first = nullptr;
    for (const BaseRecord& base : bases) {
      // A base was made only when its WAL was there: of the segment that is being received, as far as its end.
      const Lsn to = stretch.partial ? stretch.to + static_cast<Lsn>(base.segment_bytes) : stretch.to;
      if (base.start < stretch.from || base.end > to) continue;
      if (first != nullptr && first->end <= base.end) continue;
      if (!ChainOf(bases, base.id).empty()) first = &base;
    }
    if (first == nullptr) continue;
    ReachedStretch found;
    found.base = first->id;
    found.from = first->finished_at;
    found.from_lsn = first->end;
    found.to = stretch.to + (newest && stretch.partial ? static_cast<Lsn>(first->segment_bytes) : 0);
    found.to_newest = newest;
    if (i < line.gaps.size()) found.gap = line.gaps[i];
    reached.push_back(found);
  }
  return reached;
}

}  // namespace mfi::core
