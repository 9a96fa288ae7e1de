#include "core/recovery/receive_from.h"

#include <algorithm>
#include <set>
#include <string>

namespace mfi::core {
namespace {

class Planner {
 public:
  explicit Planner(const ServerWal& server) : server_(server) {}

  ReceivePlan Plan(const std::vector<StoredWal>& files) {
    for (const StoredWal& stored : files) Place(stored);
    const std::uint64_t reserved = NumberAt(server_.reserved == 0 ? server_.end : server_.reserved);
    const std::uint64_t begin = std::max(wanted_.value_or(reserved), server_.oldest);
    if (wanted_ && *wanted_ < begin) plan_.gap = WalGap{Of(*wanted_), Of(begin - 1)};
    plan_.begin = Of(begin);
    plan_.ahead = plan_.ahead || BeginOf(plan_.begin, server_.segment_bytes) > server_.end;
    return std::move(plan_);
  }

 private:
  std::uint64_t NumberAt(Lsn at) const { return SegmentAt(0, at, server_.segment_bytes).number; }
  Segment Of(std::uint64_t number) const { return SegmentOf(server_.history, number, server_.segment_bytes); }

  void Place(const StoredWal& stored) {
    const WalFile& file = stored.file;
    if (file.kind == WalFileKind::kHistory) {
      if (!Knows(file.segment.timeline)) plan_.left.push_back(file);
      return;
    }
    const std::optional<Lsn> limit = LimitOf(file.segment);
    if (limit && EndOf(stored) <= *limit) {
      Count(file);
    } else if (limit && server_.in_recovery && IsOwn(file.segment)) {
      plan_.ahead = true;
    } else {
      plan_.left.push_back(file);
    }
  }

  bool Knows(std::uint32_t timeline) const {
    const auto& ancestors = server_.history.ancestors;
    return timeline == server_.history.timeline ||
           std::any_of(ancestors.begin(), ancestors.end(), [&](const auto& a) { return a.timeline == timeline; });
  }

  bool IsOwn(const Segment& segment) const { return BelongsTo(server_.history, segment, server_.segment_bytes); }

  /// Up to where the segment's WAL can be that of the server; nullopt when none of it is. The older timeline's file of
  /// a segment in which another took over begins with WAL of the history.
  std::optional<Lsn> LimitOf(const Segment& segment) const {
    if (IsOwn(segment)) return server_.end;
    for (const History::Ancestor& ancestor : server_.history.ancestors) {
      if (ancestor.timeline == segment.timeline && segment.number == NumberAt(ancestor.end)) return ancestor.end;
    }
    return std::nullopt;
  }

  Lsn EndOf(const StoredWal& stored) const {
    const bool whole = stored.file.kind == WalFileKind::kWhole;
    return BeginOf(stored.file.segment, server_.segment_bytes) +
           static_cast<std::uint64_t>(whole ? server_.segment_bytes : stored.bytes);
  }

  /// Only its own can be whole here: one that its timeline left before its end is beyond its limit.
  void Count(const WalFile& file) {
    const bool whole = file.kind == WalFileKind::kWhole;
    if (!whole) plan_.interrupted.push_back(file);
    wanted_ = std::max(wanted_.value_or(0), file.segment.number + (whole ? 1 : 0));
  }

  const ServerWal& server_;
  ReceivePlan plan_;
  std::optional<std::uint64_t> wanted_;
};

}  // namespace

ReceivePlan ReceiveFrom(const std::vector<StoredWal>& files, const ServerWal& server) {
  return Planner(server).Plan(files);
}

std::uint64_t OldestOf(const std::vector<std::string>& names, const History& history, Lsn end,
                       std::int64_t segment_bytes) {
  std::set<Segment> there;
  for (const std::string& name : names) {
    const auto file = ParseWalFile(name, segment_bytes);
    if (file && file->kind == WalFileKind::kWhole && !file->compressed) there.insert(file->segment);
  }
  // A segment that begins at the end need not be there yet.
  std::uint64_t oldest = SegmentAt(0, end, segment_bytes).number;
  while (oldest > 0 && there.contains(SegmentOf(history, oldest - 1, segment_bytes))) --oldest;
  return oldest;
}

}  // namespace mfi::core
