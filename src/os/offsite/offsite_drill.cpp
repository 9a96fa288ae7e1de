#include "os/offsite/offsite_drill.h"

#include <algorithm>
#include <optional>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "os/backup/backup_directory.h"
#include "os/backup/backup_run.h"
#include "os/base/directory_owner.h"
#include "os/base/unforeseen.h"
#include "os/offsite/copies.h"
#include "os/offsite/restic.h"
#include "os/recovery/backup_comparison.h"
#include "os/recovery/base_unpack.h"
#include "os/recovery/wal_end.h"

namespace mfi::os {
namespace {

using core::BaseRecord;
using core::Error;
using core::Snapshot;

constexpr std::size_t kKeptDrills = 100;

std::string Describe(const Error& error) {
  return error.hint().empty() ? error.what() : std::string(error.what()) + " (" + error.hint() + ")";
}

class OffsiteDrill {
 public:
  OffsiteDrill(const OffsiteDrillJob& job, RunHost& host)
      : job_(job), host_(host), restic_(job.offsite, host), place_(PlaceName(job)) {}

  void Steps(core::OffsiteDrillRecord& record) {
    FetchSet(record);
    record.result = ProveSet(record.set);
    if (record.result != "ok") return;
    FetchStore(record);
    if (record.store.empty()) return;
    Recover(record);
  }

 private:
  static std::string PlaceName(const OffsiteDrillJob& job) {
    CheckScratchParent(job.backup.scratch_directory);
    return job.backup.scratch_directory + "/mfi-offsite-drill-";
  }

  std::string Backups() const { return place_.path() + "/backups"; }
  std::string Stores() const { return place_.path() + "/recovery"; }

  void Fetch(const Snapshot& snapshot, const std::string& directory, core::OffsiteDrillRecord& record) {
    CheckRoomFor(place_.path(), restic_.BytesOf(snapshot.id), "what is fetched from the repository");
    FetchCopy(restic_, snapshot.id, directory);
    record.fetched_bytes += TreeSize(directory);
  }

  void FetchSet(core::OffsiteDrillRecord& record) {
    const std::vector<Snapshot> snapshots = restic_.Snapshots(kSetTag);
    if (snapshots.empty()) {
      throw Error(core::sqlstate::kUndefinedObject, "there is no set of this cluster in the repository", {},
                  "A set is copied as soon as it is proven: SELECT * FROM mfi_offsite.");
    }
    record.set = snapshots.back().name;
    record.snapshot = snapshots.back().id;
    MakeDirectory(Backups(), 0700);
    Fetch(snapshots.back(), Backups(), record);
  }

  /// "ok", or what differs. Throws when it could not be proven.
  std::string ProveSet(const std::string& id) {
    const BackupDirectory directory(Backups(), job_.backup.record.node);
    directory.Prepare();
    BackupJob job = job_.backup;
    job.directory = Backups();
    job.verify = core::VerifyMethod::kRestore;
    const std::string words = VerifySet(job, id, host_);
    const core::RunRecord run = directory.FindSet(id).run;
    if (run.verify_method == core::VerifyMethod::kRestore && run.verify_result == "ok") return "ok";
    if (run.verify_method == core::VerifyMethod::kRestore && !run.verify_result.empty()) {
      return "the set " + id + ": " + run.verify_result;
    }
    throw Error(core::sqlstate::kExternalRoutine, "the set " + id + " could not be proven: " + words);
  }

  void FetchStore(core::OffsiteDrillRecord& record) {
    const std::vector<Snapshot> snapshots = restic_.Snapshots(kRecoveryTag);
    if (snapshots.empty()) return;
    record.store = snapshots.back().name;
    MakeDirectory(Stores(), 0700);
    Fetch(snapshots.back(), Stores(), record);
  }

  void Recover(core::OffsiteDrillRecord& record) {
    RecoveryJob job = job_.recovery;
    job.directory = Stores();
    job.node = record.store;
    job.backup_directory = Backups();
    const RecoveryStore store(job.directory, job.node);
    const std::optional<core::StoreIdentity> identity = store.Identity();
    if (!identity) throw Error(core::sqlstate::kDataCorrupted, "the copy of the recovery store has no store.json");
    RecoverNewest(job, store, identity->segment_bytes, record);
    const std::optional<BackupComparison> compared = CompareWithBackup(
        job, store, host_, [](const std::string&, core::Lsn) {}, [](const std::string&) { return false; });
    if (!compared) return;
    record.compared_with = compared->words;
    if (compared->result != "ok") record.result = "the recovery to " + compared->words + ": " + compared->result;
  }

  void RecoverNewest(const RecoveryJob& job, const RecoveryStore& store, std::int64_t segment_bytes,
                     core::OffsiteDrillRecord& record) {
    const std::vector<BaseRecord> chain = ChainBefore(store, UINT64_MAX);
    if (chain.empty()) {
      throw Error(core::sqlstate::kUndefinedFile, "the copy of the recovery store has no base to recover from");
    }
    const core::History history = NewestHistory(store, segment_bytes);
    RecoveredServer server(job, store, chain, history, {}, host_);
    server.Unpack();
    const WalReach reach = FindWalReach(job, store, history, segment_bytes, server.place().directory(), host_);
    server.Replay(reach.to, reach.last_record);
    const std::int64_t commit = server.LastCommitMicros();
    server.Promote();
    if (commit > 0) record.newest_time = commit / 1'000'000;
  }

  const OffsiteDrillJob& job_;
  RunHost& host_;
  Restic restic_;
  UnforeseenDirectory place_;
};

void Save(const OffsiteDrillJob& job, const core::OffsiteDrillRecord& record) {
  if (!IsDirectory(job.drills_directory)) MakeDirectory(job.drills_directory, 0700);
  WriteFileAtomically(job.drills_directory + "/" + record.id + ".json", core::ToJson(record), 0600);
  const std::vector<std::string> names = ListDirectory(job.drills_directory);
  for (std::size_t i = 0; i + kKeptDrills < names.size(); ++i) RemoveTree(job.drills_directory + "/" + names[i]);
}

}  // namespace

core::OffsiteDrillRecord RunOffsiteDrill(const OffsiteDrillJob& job, RunHost& host) {
  core::OffsiteDrillRecord record;
  record.node = job.offsite.node;
  record.repository = job.offsite.repository;
  record.started_at = host.Now();
  record.id = core::FormatCompact(record.started_at);
  const auto end = [&] {
    record.finished_at = host.Now();
    try {
      Save(job, record);
    } catch (const Error& error) {
      if (record.error.empty()) record.error = Describe(error);
    }
  };
  try {
    OffsiteDrill(job, host).Steps(record);
  } catch (const core::Stop& stop) {
    record.error = Describe(stop);
    end();
    throw;
  } catch (const Error& error) {
    record.error = Describe(error);
  }
  if (!record.error.empty()) record.result.clear();
  end();
  return record;
}

std::vector<core::OffsiteDrillRecord> ReadOffsiteDrills(const std::string& directory) {
  std::vector<core::OffsiteDrillRecord> drills;
  if (!IsDirectory(directory)) return drills;
  for (const std::string& name : ListDirectory(directory)) {
    try {
      drills.push_back(core::ParseOffsiteDrillRecord(ReadFile(directory + "/" + name, core::kMaxOffsiteDrillBytes)));
    } catch (const Error&) {
      continue;
    }
  }
  return drills;
}

}  // namespace mfi::os
