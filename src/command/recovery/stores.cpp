#include "command/recovery/stores.h"

#include <algorithm>

#include "command/base/client.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/timestamp.h"
#include "os/base/file.h"

namespace mfi::command {
namespace {

using core::Error;
using core::Printable;

/// Clocks of two nodes differ a little, and a base's is its node's.
constexpr std::int64_t kClocks = 60;
constexpr std::int64_t kMicros = 1'000'000;

FoundStore Open(const std::string& directory, const std::string& node) {
  FoundStore found{.store = os::RecoveryStore(directory, node)};
  found.identity = found.store.Identity().value();
  found.bases = found.store.Bases();
  const std::int64_t segment_bytes = found.identity.segment_bytes;
  try {
    found.history = os::NewestHistory(found.store, segment_bytes);
  } catch (const Error& error) {
    if (error.sqlstate() != core::sqlstate::kUndefinedFile) throw;
    return found;  // no WAL yet
  }
  found.line = core::LineOf(found.store.Wal(segment_bytes), found.history, segment_bytes);
  found.reach = core::ReachOf(found.bases, found.line);
  return found;
}

std::string Parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::string PathOfStores(const std::string& given) {
  constexpr char kInStack[] = "/recovery";
  return given.empty() && InContainer() ? kInStack : given;
}

std::vector<FoundStore> FindStores(const std::string& given) {
  std::string path = given;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (os::Exists(path + "/" + core::kStoreIdentityName)) {
    return {Open(Parent(path), path.substr(path.rfind('/') + 1))};
  }
  std::vector<FoundStore> stores;
  for (const std::string& name : os::ListDirectory(path)) {
    if (os::Exists(path + "/" + name + "/" + core::kStoreIdentityName)) stores.push_back(Open(path, name));
  }
  if (stores.empty()) {
    throw Error(core::sqlstate::kUndefinedFile,
                "there is no recovery store in " + Printable(path) + "; nothing was changed", {},
                "--store names mfi.recovery_directory of a node, or the directory of one node in it.");
  }
  return stores;
}

std::optional<Start> StartBefore(const FoundStore& store, std::optional<std::int64_t> micros, core::Lsn lsn) {
  for (auto stretch = store.reach.rbegin(); stretch != store.reach.rend(); ++stretch) {
    const core::BaseRecord* best = nullptr;
    for (const core::BaseRecord& base : store.bases) {
      if (base.end < stretch->from_lsn || base.end > stretch->to) continue;
      if (lsn != 0 && (base.end > lsn || lsn > stretch->to)) continue;
      if (micros && base.finished_at > *micros / kMicros) continue;
      if (core::ChainOf(store.bases, base.id).empty()) continue;
      // One that was only just finished stands back for an older one.
      const bool close = micros && base.finished_at + kClocks > *micros / kMicros;
      if (best == nullptr || (!close && base.end > best->end)) best = &base;
    }
    if (best != nullptr) return Start{core::ChainOf(store.bases, best->id), *stretch};
  }
  return std::nullopt;
}

std::string Describe(const FoundStore& store) {
  std::string text = Printable(store.store.path()) + "\n";
  if (store.reach.empty()) return text + "  nothing can be recovered yet: there is no base with its WAL\n";
  for (const core::ReachedStretch& stretch : store.reach) {
    text += "  from " + core::FormatIso(stretch.from) + " (base " + stretch.base + ")";
    if (stretch.to_newest) {
      text += " to the newest WAL, " + core::FormatLsn(stretch.to) + "\n";
      continue;
    }
    text += " to " + core::FormatLsn(stretch.to);
    if (stretch.gap) {
      text += "; then WAL is missing, from segment " +
              core::SegmentName(stretch.gap->first, store.identity.segment_bytes) + " to " +
              core::SegmentName(stretch.gap->last, store.identity.segment_bytes);
    }
    text += "\n";
  }
  return text;
}

}  // namespace mfi::command
