#include "os/history.h"

#include <algorithm>
#include <map>

#include "os/record_store.h"

namespace mfi::os {
namespace {

using core::RunState;

HistoryEntry Join(StoredRun run, const core::Manifest* manifest) {
  HistoryEntry entry{.run = std::move(run.record), .alive = run.alive};
  if (manifest == nullptr) {
    if (entry.run.state == RunState::kSucceeded) entry.run.state = RunState::kMissing;
    return entry;
  }
  entry.has_set = true;
  entry.held = manifest->held;
  entry.hold_reason = manifest->hold_reason;
  if (run.interrupted) entry.run = manifest->run;
  // A set can be verified again, or adopted, long after its run.
  entry.run.system_identifier = manifest->run.system_identifier;
  entry.run.verify_method = manifest->run.verify_method;
  entry.run.verify_result = manifest->run.verify_result;
  entry.run.proof_sandbox = manifest->run.proof_sandbox;
  entry.run.verified_at = manifest->run.verified_at;
  return entry;
}

}  // namespace

std::vector<HistoryEntry> ReadHistory(const BackupDirectory& directory) {
  std::vector<StoredSet> sets = directory.Sets();
  std::map<std::string, const core::Manifest*> manifests;
  for (const StoredSet& set : sets) manifests[set.manifest.run.id] = &set.manifest;
  std::vector<HistoryEntry> history;
  for (StoredRun& run : ReadRuns(directory.RunsPath())) {
    const auto found = manifests.find(run.record.id);
    history.push_back(Join(std::move(run), found == manifests.end() ? nullptr : found->second));
    if (found != manifests.end()) manifests.erase(found);
  }
  for (const auto& [id, manifest] : manifests) history.push_back(Join({.record = manifest->run}, manifest));
  std::stable_sort(history.begin(), history.end(),
                   [](const HistoryEntry& a, const HistoryEntry& b) { return a.run.queued_at < b.run.queued_at; });
  return history;
}

std::vector<std::string> CloseInterruptedRuns(const BackupDirectory& directory, const std::string& node,
                                              core::UtcSeconds now) {
  std::vector<std::string> closed;
  for (StoredRun& run : ReadRuns(directory.RunsPath())) {
    if (!run.interrupted || run.record.node != node) continue;
    core::RunRecord record = run.record;
    for (const StoredSet& set : directory.Sets()) {
      if (set.manifest.run.id == record.id) record = set.manifest.run;
    }
    if (!record.finished_at) record.finished_at = now;
    LockedRecord(directory.RunsPath(), record).Save();
    closed.push_back(record.id);
  }
  return closed;
}

}  // namespace mfi::os
