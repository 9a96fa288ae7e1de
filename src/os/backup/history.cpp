#include "os/backup/history.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "os/backup/record_store.h"

namespace mfi::os {
namespace {

using core::RunState;

/// `all_sets`: whether a set that is not there is missing, and not only unread.
HistoryEntry Join(StoredRun run, const core::Manifest* manifest, bool all_sets) {
  HistoryEntry entry{.run = std::move(run.record), .alive = run.alive};
  if (manifest == nullptr) {
    if (all_sets && entry.run.state == RunState::kSucceeded) entry.run.state = RunState::kMissing;
    return entry;
  }
  entry.has_set = true;
  entry.held = manifest->held;
  entry.hold_reason = manifest->hold_reason;
  entry.copies = manifest->copies;
  if (run.interrupted) entry.run = manifest->run;
  // A set can be verified again, or adopted, long after its run.
  const bool verified_again =
      entry.run.proof_tried_at != manifest->run.proof_tried_at || entry.run.verified_at != manifest->run.verified_at;
  if (verified_again && entry.run.state == core::RunState::kSucceeded) entry.run.error = manifest->run.error;
  entry.run.system_identifier = manifest->run.system_identifier;
  entry.run.verify_method = manifest->run.verify_method;
  entry.run.verify_result = manifest->run.verify_result;
  entry.run.proof_attempts = manifest->run.proof_attempts;
  entry.run.proof_tried_at = manifest->run.proof_tried_at;
  entry.run.proof_sandbox = manifest->run.proof_sandbox;
  entry.run.verified_at = manifest->run.verified_at;
  return entry;
}

}  // namespace

std::vector<HistoryEntry> ReadHistory(const BackupDirectory& directory, bool* whole) {
  Reading reading = directory.StartReading();
  std::vector<StoredSet> sets = directory.Sets(reading);
  std::map<std::string, const core::Manifest*> manifests;
  for (const StoredSet& set : sets) manifests[set.manifest.run.id] = &set.manifest;
  std::vector<HistoryEntry> history;
  // A budget of its own: whoever fills the one place hides nothing of the other.
  Reading records = directory.StartReading();
  for (StoredRun& run : ReadRuns(directory.RunsPath(), records)) {
    const auto found = manifests.find(run.record.id);
    history.push_back(Join(std::move(run), found == manifests.end() ? nullptr : found->second, reading.whole()));
    if (found != manifests.end()) manifests.erase(found);
  }
  if (whole != nullptr) *whole = reading.whole() && records.whole();
  for (const auto& [id, manifest] : manifests) history.push_back(Join({.record = manifest->run}, manifest, true));
  std::stable_sort(history.begin(), history.end(),
                   [](const HistoryEntry& a, const HistoryEntry& b) { return a.run.queued_at < b.run.queued_at; });
  return history;
}

std::vector<std::string> CloseInterruptedRuns(const BackupDirectory& directory, const std::string& node,
                                              core::UtcSeconds now) {
  std::vector<std::string> closed;
  Reading reading = directory.StartReading();
  for (StoredRun& run : ReadRuns(directory.RunsPath(), reading)) {
    if (!run.interrupted || run.record.node != node) continue;
    core::RunRecord record = run.record;
    try {
      record = directory.FindSet(record.id).run;
    } catch (const core::Error&) {
      // It has published nothing.
    }
    if (!record.finished_at) record.finished_at = now;
    LockedRecord(directory.RunsPath(), record).Save();
    closed.push_back(record.id);
  }
  return closed;
}

}  // namespace mfi::os
