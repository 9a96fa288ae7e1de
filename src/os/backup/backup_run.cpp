#include "os/backup/backup_run.h"

#include <chrono>
#include <exception>
#include <optional>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "os/backup/backup_directory.h"
#include "os/backup/dump.h"
#include "os/backup/expire.h"
#include "os/backup/record_store.h"
#include "os/backup/set_files.h"
#include "os/backup/verification.h"
#include "os/process/private_log.h"

namespace mfi::os {
namespace {

using core::Error;
using core::RunState;

constexpr std::chrono::milliseconds kLookAgain{100};

void CountProof(core::RunRecord& run, core::UtcSeconds now) {
  ++run.proof_attempts;
  run.proof_tried_at = now;
}

/// Verifies a set whose files are as its manifest says, before and after: what was swapped or written to meanwhile is
/// not what was proven.
Verification VerifyFiles(const BackupJob& job, const core::Manifest& manifest, const std::string& path, RunHost& host) {
  SetFiles files(path);
  const std::string differs = files.Differences(manifest, host);
  if (!differs.empty()) return {.method = job.verify, .result = differs, .remark = {}};
  Verification done = VerifyPublished(job, manifest, host);
  const std::string touched = done.result == "ok" ? files.Touched() : "";
  if (!touched.empty()) {
    throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                touched + " was touched while the set was verified, so nothing is proven", {},
                "Let nothing else write to the backup directory, then verify the set again.");
  }
  return done;
}

/// Changes a manifest's own fields while others keep away: whoever holds, releases or adopts the set meanwhile is
/// heard.
template <typename Change>
void ChangeManifest(const BackupDirectory& directory, const std::string& id, RunHost& host, Change change) {
  while (!directory.ChangeManifest(id, change)) host.Wait(-1, false, kLookAgain);
}

/// So that a directory full of planted files does not keep a run from its end.
Reading::Look LookOf(RunHost& host) {
  return [&host] { host.Wait(-1, false, std::chrono::milliseconds{0}); };
}

class Run {
 public:
  Run(const BackupJob& job, RunHost& host)
      : job_(job),
        host_(host),
        directory_(job.directory, job.record.node, LookOf(host)),
        saved_(directory_.RunsPath(), job.record),
        log_(directory_.RunsPath(), job.record.id),
        dump_(job, host, directory_.PartialPath(job.record.id)) {}

  core::RunRecord ToTheEnd() {
    try {
      Work();
    } catch (const core::Stop& stop) {
      Fail(stop.reason() == core::Stop::Reason::kCancelled ? RunState::kCancelled : RunState::kFailed, Describe(stop));
      return record();
    } catch (const Error& error) {
      Fail(RunState::kFailed, Describe(error));
      return record();
    } catch (const std::exception& error) {
      Fail(RunState::kFailed, error.what());
      return record();
    }
    if (record().state == RunState::kFailed) return record();
    // The set is good from here on: nothing that goes wrong now may take it away.
    Finish(RunState::kSucceeded, remark_);
    try {
      Expire(directory_, job_.record.database, record().system_identifier, job_.retention, host_.Now());
    } catch (const Error& error) {
      AddRemark("old sets could not be deleted: " + Describe(error));
      Finish(RunState::kSucceeded, remark_);
    }
    return record();
  }

 private:
  core::RunRecord& record() { return saved_.record(); }

  static std::string Describe(const Error& error) {
    std::string text = error.what();
    if (!error.hint().empty()) text += " (" + error.hint() + ")";
    return text;
  }

  void Enter(RunState state) {
    record().state = state;
    saved_.Save();
    host_.Progress(state, record().size_bytes.value_or(0));
  }

  void Work() {
    try {
      Steps();
    } catch (const Error&) {
      dump_.HearFromPostmaster();
      throw;
    }
  }

  void Steps() {
    directory_.CheckUsable(job_.data_directory);
    directory_.Prepare();
    record().started_at = host_.Now();
    Enter(RunState::kDumping);
    const FileLock only_one = directory_.LockForRun(job_.record.database);
    if (!only_one.held()) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  "another process is backing up this database into \"" + directory_.root() + "\"", {},
                  "Wait for it, or give each node that schedules backups a directory of its own.");
    }
    dump_.CheckPrograms();
    CheckRoom();
    MakeSet();
    Publish();
    Verify();
  }

  /// The last set, and a tenth of it for growth, must fit; without one there is nothing to forecast from.
  void CheckRoom() {
    std::int64_t last = 0;
    for (const StoredSet& set : directory_.Sets()) {
      if (set.manifest.run.database == job_.record.database) last = set.manifest.run.size_bytes.value_or(0);
    }
    const std::int64_t needed = last + last / 10;
    const std::int64_t free = FreeSpace(directory_.root());
    if (free >= needed) return;
    throw Error(core::sqlstate::kDiskFull,
                "the backup directory \"" + directory_.root() + "\" has " + core::FormatBytes(free) +
                    " free, the backup is expected to need " + core::FormatBytes(needed),
                {}, "Free some space there, or keep fewer sets: mfi.backup_retain_days, mfi.backup_min_keep.");
  }

  void MakeSet() {
    const std::string partial = directory_.PartialPath(record().id);
    MakeDirectory(partial, 0700);
    manifest_.run = record();
    DumpFromSource();
    dump_.DumpGlobals();
    dump_.CheckListing(manifest_);
    manifest_.run.size_bytes = TreeSize(partial);
    manifest_.run.path = record().id + "/" + dump_.ArchiveName();
    record() = manifest_.run;
  }

  /// From where the job says; a recovery conflict on the standby is tried once more.
  void DumpFromSource() {
    if (job_.source == core::BackupSource::kPrimary || !DumpFromStandby(true)) dump_.DumpDatabase(manifest_);
    AddRemark(dump_.remark());
  }

  /// False when the primary shall stand in.
  bool DumpFromStandby(bool again) {
    host_.DumpsStandby(true);
    try {
      AddRemark(dump_.DumpStandby(manifest_));
      host_.DumpsStandby(false);
      return true;
    } catch (const core::Stop&) {
      host_.DumpsStandby(false);
      throw;
    } catch (const Error& error) {
      host_.DumpsStandby(false);
      // What the standby's server says when it stops must not be taken for our own being asked to stop.
      host_.Wait(-1, false, std::chrono::milliseconds{0});
      const std::string why = error.what();
      StartOver();
      if (again && IsRecoveryConflict(error)) {
        AddRemark("the dump from the standby was begun again after a recovery conflict");
        return DumpFromStandby(false);
      }
      if (job_.source == core::BackupSource::kStandby) {
        throw Error(error.sqlstate(),
                    "the standby could not be dumped: " + why + (remark_.empty() ? "" : " (" + remark_ + ")"), {},
                    error.hint().empty()
                        ? "ALTER SYSTEM SET mfi.backup_source = 'prefer-standby' lets the primary stand in."
                        : error.hint());
      }
      AddRemark("dumped from the primary, because the standby could not be dumped: " + why);
      return false;
    }
  }

  /// Nothing of an attempt may be left in what the next one makes.
  void StartOver() {
    const std::string partial = directory_.PartialPath(record().id);
    RemoveTree(partial);
    MakeDirectory(partial, 0700);
    manifest_ = {};
    manifest_.run = record();
  }

  void AddRemark(const std::string& remark) {
    if (remark.empty()) return;
    if (!remark_.empty()) remark_ += "; ";
    remark_ += remark;
  }

  void Publish() {
    Enter(RunState::kPublishing);
    const std::string partial = directory_.PartialPath(record().id);
    ChangeModes(partial, job_.group_read ? 0640 : 0600, job_.group_read ? 0750 : 0700);
    ChangeModes(partial + "/globals.sql", 0600, 0700);
    manifest_.files = DescribeFiles(partial, host_);
    // A set is readable by itself even if this process dies right after the rename: as good, not yet verified.
    manifest_.run.state = RunState::kSucceeded;
    manifest_.run.finished_at = host_.Now();
    if (Exists(directory_.SetPath(record().id))) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState, "a set named \"" + record().id + "\" exists already");
    }
    AddRemark(directory_.Publish(manifest_));
    published_ = true;
  }

  void Verify() {
    Enter(RunState::kVerifying);
    const Verification done = job_.verify == core::VerifyMethod::kNone
                                  ? VerifyPublished(job_, manifest_, host_)
                                  : VerifyFiles(job_, manifest_, directory_.SetPath(record().id), host_);
    record().verify_method = done.method;
    record().verify_result = done.result;
    record().proof_sandbox = done.sandbox;
    if (job_.verify == core::VerifyMethod::kRestore) CountProof(record(), host_.Now());
    AddRemark(done.remark);
    if (!done.result.empty() && done.result != "ok") {
      SetAside("verification failed: " + done.result);
      return;
    }
    if (done.result == "ok") record().verified_at = host_.Now();
    SaveVerified();
    AddRemark(directory_.PointLatestAtNewestVerified(record().system_identifier));
  }

  /// Writes this run into its set's manifest, as one that ends now in this state.
  void TellManifest(RunState state, const std::string& error) {
    ChangeManifest(directory_, record().id, host_, [&](core::Manifest& manifest) {
      manifest.run = record();
      manifest.run.state = state;
      manifest.run.finished_at = host_.Now();
      manifest.run.error = error;
    });
  }

  void SaveVerified() {
    try {
      TellManifest(RunState::kSucceeded, remark_);
    } catch (const core::Stop&) {
      throw;
    } catch (const Error& error) {
      // Written, though it may not be durable: record and manifest say the same.
      const core::RunRecord written = directory_.FindSet(record().id).run;
      if (written.verified_at != record().verified_at || written.proof_tried_at != record().proof_tried_at) throw;
      if (!written.verified_at && !written.proof_tried_at) throw;
      AddRemark("what the verification gave may be lost if the machine stops now: " + Describe(error));
    }
  }

  /// The set loses its name and stays for a time under another one, for whoever wants to know why.
  void SetAside(std::string error) {
    try {
      TellManifest(RunState::kFailed, error);
    } catch (const core::Stop&) {
      throw;
    } catch (const Error&) {
      // It says the same without its result; the record has it.
    }
    try {
      const std::string hidden = directory_.SetAside(record().id);
      record().path.clear();
      error += " (what was dumped is in \"" + directory_.root() + "/" + hidden + "\")";
    } catch (const Error& keeps_its_name) {
      error += "; it could not be put aside: " + Describe(keeps_its_name);
    }
    try {
      ExpireFailed(directory_, job_.record.database, record().system_identifier, job_.retention, host_.Now());
    } catch (const Error& not_deleted) {
      error += "; older ones that failed could not be deleted: " + Describe(not_deleted);
    }
    Finish(RunState::kFailed, error);
  }

  /// Writes the final state. When not even that can be written (directory gone or full), the record on disk stays
  /// unlocked: it reads as interrupted, or as what the set's manifest says when there is a set.
  void Finish(RunState state, const std::string& error) {
    record().state = state;
    record().error = error;
    record().finished_at = host_.Now();
    try {
      saved_.Save();
    } catch (const Error& not_saved) {
      if (record().error.empty()) record().error = Describe(not_saved);
    }
  }

  void Fail(RunState state, const std::string& error) {
    if (published_) {
      Finish(state, error + "; the set is complete but not verified: SELECT mfi_backup_verify('" + record().id + "')");
      return;
    }
    record().path.clear();
    try {
      RemoveTree(directory_.PartialPath(record().id));
    } catch (const Error&) {
      // The launcher removes it later; the reason of the failure matters more than this one.
    }
    Finish(state, error);
  }

  const BackupJob& job_;
  RunHost& host_;
  BackupDirectory directory_;
  LockedRecord saved_;
  PrivateLog log_;
  Dump dump_;
  core::Manifest manifest_;
  std::string remark_;  // of what was done less than was wanted
  bool published_ = false;
};

}  // namespace

core::RunRecord RunBackup(const BackupJob& job, RunHost& host) { return Run(job, host).ToTheEnd(); }

std::string VerifySet(const BackupJob& job, const std::string& id, RunHost& host) {
  const BackupDirectory directory(job.directory, job.record.node, LookOf(host));
  directory.CheckUsable(job.data_directory);
  core::Manifest manifest = directory.FindSet(id);
  host.Progress(RunState::kVerifying, manifest.run.size_bytes.value_or(0));
  {
    // Whoever holds or releases a set meanwhile writes it under this lock.
    const FileLock lock = directory.LockForRemoval();
    if (lock.held()) directory.RemoveUnsavedManifest(id);
  }
  const PrivateLog log(directory.RunsPath(), id);
  Verification done = VerifyFiles(job, manifest, directory.SetPath(id), host);
  ChangeManifest(directory, id, host, [&](core::Manifest& now) {
    now.run.verify_method = done.method;
    now.run.verify_result = done.result;
    now.run.proof_sandbox = done.sandbox;
    if (job.verify == core::VerifyMethod::kRestore) CountProof(now.run, host.Now());
    now.run.error = done.remark;
    now.run.verified_at.reset();
    if (done.result == "ok") now.run.verified_at = host.Now();
  });
  const std::string no_link = directory.PointLatestAtNewestVerified(manifest.run.system_identifier);
  if (!no_link.empty()) done.remark += (done.remark.empty() ? "" : "; ") + no_link;
  const std::string result = done.result.empty() ? "not verified" : done.result;
  return done.remark.empty() ? result : result + " (" + done.remark + ")";
}

}  // namespace mfi::os
