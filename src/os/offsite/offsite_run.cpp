#include "os/offsite/offsite_run.h"

#include <algorithm>
#include <utility>

#include "os/backup/set_files.h"
#include "os/offsite/copies.h"
#include "os/offsite/repository_care.h"
#include "os/offsite/restic.h"

namespace mfi::os {
namespace {

using core::Error;
using core::OffsiteWork;

constexpr char kUnreachable[] = "offsite-unreachable";
constexpr char kPasswordLost[] = "offsite-password-lost";

bool IsIn(const std::vector<core::Snapshot>& snapshots, const std::string& id) {
  return std::any_of(snapshots.begin(), snapshots.end(), [&](const core::Snapshot& s) { return s.Is(id); });
}

}  // namespace

core::OffsiteState ReadOffsiteState(const std::string& path) {
  try {
    return core::ParseOffsiteState(ReadFile(path, core::kMaxOffsiteStateBytes));
  } catch (const Error&) {
    return {};
  }
}

std::string OffsiteStatePath(const std::string& backup_directory, const std::string& recovery_directory,
                             const std::string& node) {
  if (!backup_directory.empty()) return backup_directory + "/.offsite/" + node + ".json";
  return recovery_directory + "/" + node + "/offsite.json";
}

OffsiteRun::OffsiteRun(OffsiteJob job, OffsiteSource source, RunHost& host)
    : job_(std::move(job)), source_(std::move(source)), host_(host), state_(ReadOffsiteState(source_.state_path)) {
  if (state_.repository == job_.repository) return;
  state_ = {};
  state_.repository = job_.repository;
}

std::vector<core::ProvenSet> ProvenSets(const OffsiteSource& source, const OffsiteJob& job,
                                        const std::string& repository_id) {
  if (source.backup_directory.empty()) return {};
  return CopyRecords({source.backup_directory, job.node}, repository_id)
      .ProvenSets(source.database, job.system_identifier);
}

CopyRecords OffsiteRun::Records() const { return {{source_.backup_directory, job_.node}, state_.repository_id}; }

bool OffsiteRun::Do(const core::OffsiteDue& due) {
  try {
    Attempt(due);
    state_.answered_at = host_.Now();
    state_.failing_since.reset();
    state_.fault.clear();
    state_.error.clear();
    state_.next_step.clear();
  } catch (const core::Stop&) {
    throw;
  } catch (const ResticFailure& failure) {
    NoteFailure(failure, failure.fault() == core::ResticFault::kLocked ? core::kOffsiteLocked : kUnreachable);
  } catch (const Error& error) {
    const bool lost = error.sqlstate() == core::sqlstate::kUndefinedFile &&
                      std::string(error.what()).find(job_.password_file) != std::string::npos;
    NoteFailure(error, lost ? kPasswordLost : kUnreachable);
  }
  try {
    Save();
  } catch (const Error& error) {
    // What is not noted is done again; what it says now is told, at least.
    NoteFailure(error, kUnreachable);
  }
  return !state_.failing_since;
}

void OffsiteRun::Attempt(const core::OffsiteDue& due) {
  const Restic restic(job_, host_);
  TakeUpRepository(restic);
  try {
    DoIt(restic, due);
  } catch (const ResticFailure& failure) {
    if (failure.fault() != core::ResticFault::kLocked) throw;
    // By a run of ours that was killed, perhaps.
    ReleaseOwnLocks(restic);
    DoIt(restic, due);
  }
}

void OffsiteRun::DoIt(const Restic& restic, const core::OffsiteDue& due) {
  switch (due.work) {
    case OffsiteWork::kSet:
      CopyOne(restic, due.set);
      break;
    case OffsiteWork::kStore:
      CopyStoreOnce(restic);
      break;
    case OffsiteWork::kProbe:
      ProbeOnce(restic);
      break;
    case OffsiteWork::kForget:
      ForgetOnce(restic);
      break;
    case OffsiteWork::kCheck:
      CheckOnce(restic);
      break;
    case OffsiteWork::kContact:
    case OffsiteWork::kNone:
      break;
  }
}

/// Asks for its name, so that one that is gone, or another one in its place, is seen before anything is sent; and puts
/// in order what a run has left that did not come to its end.
void OffsiteRun::TakeUpRepository(const Restic& restic) {
  const std::string id = restic.Contact();
  if (state_.repository_id != id) {
    // Another one in the place of the one that was there has none of what was copied.
    const std::string repository = state_.repository;
    state_ = {};
    state_.repository = repository;
    state_.repository_id = id;
    Save();
  }
  if (!state_.unfinished) return;
  ReleaseOwnLocks(restic);
  TakeUpInterrupted(restic);
}

/// Looks whether what was copied is still there; what is not is copied again. What the manifests say is read first:
/// what is copied meanwhile is no concern of this.
void OffsiteRun::Confirm(const Restic& restic) {
  std::vector<std::string> missing;
  if (!source_.backup_directory.empty()) {
    const CopyRecords records = Records();
    const auto copies = records.Copies();
    const std::vector<core::Snapshot> there =
        copies.empty() ? std::vector<core::Snapshot>{} : restic.Snapshots(kSetTag);
    for (const auto& [id, snapshot] : copies) {
      if (IsIn(there, snapshot)) continue;
      missing.push_back(id);
      records.Drop(id);
    }
  }
  if (!state_.store_snapshot.empty() && !IsIn(restic.Snapshots(kRecoveryTag), state_.store_snapshot)) {
    missing.push_back("the recovery store of " + job_.node);
    state_.store_copied_at.reset();
    state_.store_snapshot.clear();
  }
  state_.missing = core::NameSome(missing);
}

void OffsiteRun::CopyOne(const Restic& restic, const std::string& id) {
  const BackupDirectory directory(source_.backup_directory, job_.node);
  const core::Manifest manifest = directory.FindSet(id);
  SetFiles files(directory.SetPath(id));
  if (const std::string damage = files.Differences(manifest, host_); !damage.empty()) {
    // It has changed since it was proven. The verdict on backups says so, and the next set has its turn.
    Records().NoteDamage(id, damage);
    return;
  }
  state_.unfinished = true;
  Save();
  const core::CopySummary copy = CopySet(restic, source_.backup_directory, manifest);
  state_.unfinished = false;
  if (const std::string touched = files.Touched(); !touched.empty()) {
    throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                "while the set " + id + " was copied, somebody changed " + touched, {},
                "It is copied again by itself; nobody should write into a set.");
  }
  Records().Note(id, copy.snapshot, host_.Now());
}

void OffsiteRun::CopyStoreOnce(const Restic& restic) {
  const core::UtcSeconds began = host_.Now();
  state_.unfinished = true;
  Save();
  const core::CopySummary copy = CopyStore(restic, source_.recovery_directory, job_.node);
  state_.unfinished = false;
  state_.store_copied_at = began;
  state_.store_snapshot = copy.snapshot;
}

void OffsiteRun::ProbeOnce(const Restic& restic) {
  const core::UtcSeconds began = host_.Now();
  Confirm(restic);
  ProbeDeletion(restic, state_);
  state_.probed_at = began;
}

/// What comes while it waits for a line that was cut is not let go by it: it is due again a day after its begin.
void OffsiteRun::ForgetOnce(const Restic& restic) {
  const core::UtcSeconds began = host_.Now();
  const Forgotten forgotten = Forget(restic, source_.keep);
  state_.keep_error = forgotten.refused;
  if (!source_.backup_directory.empty()) Records().NoteForgotten(forgotten.snapshots);
  state_.forgot_at = began;
}

void OffsiteRun::CheckOnce(const Restic& restic) {
  const int part = core::NextCheckPart(state_);
  const core::UtcSeconds began = host_.Now();
  state_.damage = CheckPart(restic, part);
  state_.checked_at = began;
  if (state_.damage.empty()) state_.parts_read.at(static_cast<std::size_t>(part - 1)) = began;
}

void OffsiteRun::NoteFailure(const Error& error, const char* fault) {
  if (!state_.failing_since) state_.failing_since = host_.Now();
  state_.fault = fault;
  state_.error = error.what();
  state_.next_step = error.hint();
}

void OffsiteRun::Save() const {
  const std::string directory = source_.state_path.substr(0, source_.state_path.rfind('/'));
  if (!IsDirectory(directory)) MakeDirectory(directory, 0700);
  WriteFileAtomically(source_.state_path, core::ToJson(state_), 0600);
}

}  // namespace mfi::os
