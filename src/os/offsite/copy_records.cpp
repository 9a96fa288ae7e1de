#include "os/offsite/copy_records.h"

#include <algorithm>

#include "core/base/error.h"

namespace mfi::os {
namespace {

bool IsProven(const core::RunRecord& run) {
  return run.state == core::RunState::kSucceeded && run.verify_method == core::VerifyMethod::kRestore &&
         run.verify_result == "ok";
}

}  // namespace

CopyRecords::CopyRecords(BackupDirectory directory, std::string repository)
    : directory_(std::move(directory)), repository_(std::move(repository)) {}

std::vector<core::ProvenSet> CopyRecords::ProvenSets(const std::string& database,
                                                     const std::string& system_identifier) const {
  std::vector<core::ProvenSet> sets;
  for (const StoredSet& set : directory_.Sets()) {
    const core::RunRecord& run = set.manifest.run;
    if (run.database != database || run.system_identifier != system_identifier || !IsProven(run)) continue;
    const bool copied = core::CopyIn(set.manifest.copies, repository_) != nullptr;
    sets.push_back({run.id, run.finished_at.value_or(run.queued_at), copied});
  }
  return sets;
}

std::vector<std::pair<std::string, std::string>> CopyRecords::Copies() const {
  std::vector<std::pair<std::string, std::string>> copies;
  for (const StoredSet& set : directory_.Sets()) {
    const core::SetCopy* copy = core::CopyIn(set.manifest.copies, repository_);
    if (copy != nullptr && !copy->forgotten) copies.emplace_back(set.manifest.run.id, copy->snapshot);
  }
  return copies;
}

void CopyRecords::Note(const std::string& id, const std::string& snapshot, core::UtcSeconds at) const {
  Change(id, [&](core::Manifest& manifest) {
    DropFrom(manifest);
    manifest.copies.push_back({.repository = repository_, .snapshot = snapshot, .at = at});
  });
}

void CopyRecords::Drop(const std::string& id) const {
  Change(id, [&](core::Manifest& manifest) { DropFrom(manifest); });
}

void CopyRecords::NoteForgotten(const std::vector<std::string>& snapshots) const {
  for (const auto& [id, snapshot] : Copies()) {
    const std::string& noted = snapshot;
    const auto is_it = [&](const std::string& forgotten) { return forgotten.starts_with(noted); };
    if (std::none_of(snapshots.begin(), snapshots.end(), is_it)) continue;
    Change(id, [&](core::Manifest& manifest) {
      for (core::SetCopy& copy : manifest.copies) copy.forgotten |= copy.repository == repository_;
    });
  }
}

void CopyRecords::NoteDamage(const std::string& id, const std::string& damage) const {
  Change(id, [&](core::Manifest& manifest) {
    manifest.run.verify_result = damage;
    manifest.run.verified_at.reset();
  });
}

void CopyRecords::Change(const std::string& id, const std::function<void(core::Manifest&)>& change) const {
  if (directory_.ChangeManifest(id, change)) return;
  throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                    "what became of the copy of " + id + " could not be noted, since sets are being deleted");
}

void CopyRecords::DropFrom(core::Manifest& manifest) const {
  std::erase_if(manifest.copies, [&](const core::SetCopy& copy) { return copy.repository == repository_; });
}

}  // namespace mfi::os
