#include "os/recovery/base_run.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/recovery/backup_manifest.h"
#include "core/recovery/base_plan.h"
#include "os/base/unforeseen.h"
#include "os/recovery/base_copy.h"
#include "os/recovery/base_situation.h"
#include "os/recovery/base_source.h"
#include "os/recovery/base_unpack.h"
#include "os/recovery/base_wal.h"
#include "os/restore/scratch_server.h"

namespace mfi::os {
namespace {

using core::BaseKind;
using core::BaseRecord;
using core::BaseRefusal;
using core::Error;

constexpr int kTries = 2;  // of an incremental one, whose WAL summaries may come late
constexpr std::int64_t kMaxConfigurationBytes = std::int64_t{4} * 1024 * 1024;

class BaseRun {
 public:
  BaseRun(const RecoveryJob& job, RunHost& host, const BaseProgress& progress)
      : job_(job), host_(host), progress_(progress), limit_(host, job.limit), store_(job.directory, job.node) {}

  BaseRecord ToTheEnd(bool full) {
    store_.CheckUsable(job_.data_directory);
    server_ = BaseSource(job_, "facts", limit_).Ask();
    store_.Prepare({job_.node, server_.system_identifier, job_.server_major, server_.segment_bytes, host_.Now()});
    const FileLock only_one = store_.LockForRun();
    if (!only_one.held()) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  "another process makes or recovers a base in \"" + store_.path() + "\"", {}, "Wait for it.");
    }
    store_.RemoveLeftovers();
    bases_ = store_.Bases();
    try {
      Make(full);
    } catch (...) {
      RemoveNew();
      throw;
    }
    return record_;
  }

 private:
  void Make(bool full) {
    core::BasePlan plan = core::PlanBase(Situation(), full ? BaseKind::kFull : BaseKind::kIncremental);
    const bool told = !full || !bases_.empty();
    if (told && plan.kind == BaseKind::kFull && !plan.reason.empty()) record_.remark = "a full one: " + plan.reason;
    if (plan.kind != BaseKind::kIncremental || !CopyIncremental(plan.parent)) CopyFull(plan.after);
    Describe();
    Verify();
    Publish();
  }

  core::BaseSituation Situation() const {
    core::BaseSituation situation = SituationIn(store_);
    situation.summaries = server_.summarizes;
    situation.tablespaces = server_.tablespaces;
    return situation;
  }

  void Begin(bool full) {
    core::UtcSeconds at = host_.Now();
    while (Exists(store_.BasePath(core::BaseId(at, full)))) ++at;
    record_.id = core::BaseId(at, full);
    record_.full = full;
    record_.started_at = host_.Now();
    CheckRoom();
  }

  /// The last one of its kind must fit, and what is verified. Of a first one there is nothing to forecast what it takes
  /// when it is packed.
  void CheckRoom() const {
    const BaseRecord* last = nullptr;
    for (const BaseRecord& base : bases_) {
      if (base.full == record_.full) last = &base;
    }
    if (last != nullptr) CheckRoomFor(store_.path(), last->stored_bytes, "the base");
    const std::int64_t unpacked = last != nullptr ? last->data_bytes : record_.full ? server_.database_bytes : 0;
    CheckRoomFor(job_.scratch_directory, unpacked, "the base that is verified");
  }

  BaseCopy Copy(const std::string& parent) {
    progress_("receiving", 0);
    const BaseSource source(job_, record_.id, limit_);
    return CopyBase(job_, source, record_.id, NewPath(), parent, limit_,
                    [this](std::int64_t bytes) { progress_("receiving", bytes); });
  }

  /// One of a standby begins at its last restartpoint, which may be an old one.
  void CopyFull(core::Lsn after) {
    Begin(true);
    record_.parent.clear();
    if (server_.in_recovery && after != 0) BaseSource(job_, record_.id, limit_).AwaitRestartpoint(after);
    Copy({});
  }

  /// False when the server does not build on the parent; the remark says why.
  bool CopyIncremental(const std::string& parent) {
    Begin(false);
    record_.parent = parent;
    const auto base = std::find_if(bases_.begin(), bases_.end(), [&](const BaseRecord& b) { return b.id == parent; });
    const BaseSource source(job_, record_.id, limit_);
    BaseCopy copy;
    for (int tries = 1;; ++tries) {
      if (server_.in_recovery) source.AwaitRestartpoint(base->end);
      copy = Copy(store_.BasePath(parent));
      if (copy.done) return true;
      if (copy.refusal == BaseRefusal::kParent || tries == kTries) break;
      source.AwaitSummaries();
    }
    record_.remark = "a full one, because the server does not build on base " + parent + ": " + copy.words;
    return false;
  }

  void Describe() {
    record_.finished_at = host_.Now();
    ChangeModes(NewPath(), 0600, 0700);
    const core::BackupManifest manifest =
        core::ParseBackupManifest(ReadFile(NewPath() + "/" + core::kBackupManifestName, core::kMaxBackupManifestBytes));
    record_.timeline = manifest.timeline;
    record_.start = manifest.start;
    record_.end = manifest.end;
    record_.data_bytes = manifest.data_bytes;
    record_.node = job_.node;
    record_.system_identifier = server_.system_identifier;
    record_.server_major = job_.server_major;
    record_.server_version = server_.version;
    record_.segment_bytes = server_.segment_bytes;
    record_.superuser = job_.superuser;
    record_.source_role = server_.in_recovery ? "standby" : "primary";
    DescribeTablespaces(BaseSource(job_, record_.id, limit_).Ask());
    CopyConfiguration();
    record_.stored_bytes = TreeSize(NewPath());
  }

  /// Those that it holds, whether they were made or dropped meanwhile.
  void DescribeTablespaces(const BaseServer& after) {
    std::vector<core::BaseTablespace> known = after.tablespaces;
    known.insert(known.end(), server_.tablespaces.begin(), server_.tablespaces.end());
    for (const std::string& name : ListDirectory(NewPath())) {
      if (!name.ends_with(".tar.zst") || name == "base.tar.zst") continue;
      const auto found = std::find_if(known.begin(), known.end(), [&](const core::BaseTablespace& tablespace) {
        return std::to_string(tablespace.oid) + ".tar.zst" == name;
      });
      if (found == known.end()) {
        throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                    "the tablespace in \"" + name + "\" was made and dropped while the base was received", {},
                    "Make the base again.");
      }
      record_.tablespaces.push_back(*found);
    }
    std::sort(record_.tablespaces.begin(), record_.tablespaces.end(),
              [](const core::BaseTablespace& a, const core::BaseTablespace& b) { return a.oid < b.oid; });
  }

  void CopyConfiguration() {
    if (server_.configuration.empty()) return;
    const std::string directory = NewPath() + "/configuration";
    MakeDirectory(directory, 0700);
    for (const ConfigurationFile& file : server_.configuration) {
      const std::string path = directory + "/" + file.name;
      WriteFileAtomically(path, ReadFile(file.path, kMaxConfigurationBytes), 0600);
      record_.configuration.push_back(file.name);
    }
  }

  void Verify() {
    limit_.SetDoing("was verified");
    progress_("verifying", record_.data_bytes);
    VerifyBase(job_, NewPath(), record_, limit_);
    record_.verified_at = host_.Now();
  }

  void Publish() {
    progress_("publishing", record_.stored_bytes);
    // What cannot be read again would be no base.
    if (core::ParseBaseRecord(core::ToJson(record_)) != record_) {
      throw Error(core::sqlstate::kDataCorrupted, "the base " + record_.id + " has a name in it that is not UTF-8");
    }
    {
      const UnforeseenDirectory scratch(ScratchPath(job_.scratch_directory, job_.node));
      AwaitWal(store_, record_, scratch.path(), limit_);
    }
    store_.PublishBase(record_);
  }

  std::string NewPath() const { return store_.NewBasePath(record_.id); }

  void RemoveNew() {
    if (record_.id.empty()) return;
    try {
      RemoveTree(NewPath());
    } catch (const Error&) {
      // The next run removes it; why this one failed matters more.
    }
  }

  const RecoveryJob& job_;
  RunHost& host_;
  const BaseProgress& progress_;
  BaseLimit limit_;
  RecoveryStore store_;
  BaseServer server_;
  std::vector<BaseRecord> bases_;
  BaseRecord record_;
};

}  // namespace

BaseRecord MakeBase(const RecoveryJob& job, bool full, RunHost& host, const BaseProgress& progress) {
  return BaseRun(job, host, progress).ToTheEnd(full);
}

}  // namespace mfi::os
