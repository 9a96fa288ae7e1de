#include "os/recovery/drill.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "os/process/private_log.h"
#include "os/recovery/backup_comparison.h"
#include "os/recovery/recovered_server.h"
#include "os/recovery/wal_dump.h"
#include "os/recovery/wal_end.h"
#include "os/recovery/wal_fetch.h"

namespace mfi::os {
namespace {

using core::BaseRecord;
using core::Error;
using core::Lsn;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPiece{100};
constexpr std::chrono::seconds kArrivalLimit{90};  // the primary writes something each minute
constexpr std::size_t kKeptDrills = 400;

std::string Describe(const Error& error) {
  return error.hint().empty() ? error.what() : std::string(error.what()) + " (" + error.hint() + ")";
}

/// Not what may be otherwise the next time, such as a disk that is full.
bool SpeaksAgainstChain(const Error& error) {
  const std::string& code = error.sqlstate();
  return code == core::sqlstate::kDataCorrupted || code == core::sqlstate::kUndefinedFile ||
         code == core::sqlstate::kExternalRoutine;
}

std::int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Measures what of a recovery is recovery, and not the looking at it.
class Stopwatch {
 public:
  void Go() { since_ = Clock::now(); }
  void Halt() { spent_ += Clock::now() - since_; }
  std::int64_t Milliseconds() const { return std::chrono::duration_cast<std::chrono::milliseconds>(spent_).count(); }

 private:
  Clock::time_point since_{};
  Clock::duration spent_{};
};

class Drill {
 public:
  Drill(const RecoveryJob& job, RunHost& host, const DrillProgress& progress, const PauseTeller& tell)
      : job_(job), host_(host), progress_(progress), tell_(tell), store_(job.directory, job.node) {
    record_.node = job.node;
    record_.started_at = host.Now();
    record_.id = core::FormatCompact(record_.started_at);
  }

  core::DrillRecord ToTheEnd() {
    try {
      Steps();
    } catch (const core::Stop& stop) {
      End(Describe(stop));
      throw;
    } catch (const Error& error) {
      against_chain_ = SpeaksAgainstChain(error);
      End(Describe(error));
      return record_;
    }
    End({});
    return record_;
  }

 private:
  void Steps() {
    const FileLock lock = store_.LockForRun();
    if (!lock.held()) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  "a base or another drill is being made in \"" + store_.path() + "\"");
    }
    const std::optional<core::StoreIdentity> identity = store_.Identity();
    if (!identity) throw Error(core::sqlstate::kUndefinedFile, "there is no store in \"" + store_.path() + "\"");
    record_.system_identifier = identity->system_identifier;
    segment_bytes_ = identity->segment_bytes;
    Say("counting", 0);
    const Reference reference = TakeReference(job_, host_, tell_);
    record_.reference = reference.words;
    record_.reference_lsn = reference.lsn;
    const std::vector<BaseRecord> chain = ChooseChain(reference.lsn);
    record_.base = chain.back().id;
    AwaitWal(reference.lsn);
    Recover(chain, reference);
    RecoverToBackup();
  }

  std::vector<BaseRecord> ChooseChain(Lsn reference) const {
    std::vector<BaseRecord> newest = ChainBefore(store_, reference);
    if (!newest.empty()) return newest;
    throw Error(core::sqlstate::kUndefinedFile, "there is no base to recover from in \"" + store_.path() + "\"", {},
                "SELECT mfi_recovery_base_now(true) makes one.");
  }

  /// Until the receiver has written down to there.
  void AwaitWal(Lsn until) {
    const auto deadline = Clock::now() + kArrivalLimit;
    const ScratchPlace place(ScratchPath(job_.scratch_directory, job_.node));
    while (!IsReceived(until, place.directory() + "/segment")) {
      if (Clock::now() >= deadline) {
        throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                    "the receiver has not written WAL down to " + core::FormatLsn(until) + " within " +
                        std::to_string(kArrivalLimit.count()) + " s",
                    {}, "SELECT * FROM mfi_recovery tells why it does not receive.");
      }
      host_.Wait(-1, false, kPiece);
    }
  }

  bool IsReceived(Lsn until, const std::string& work_file) {
    const core::History history = NewestHistory(store_, segment_bytes_);
    const core::Segment segment =
        core::SegmentOf(history, (until - 1) / static_cast<Lsn>(segment_bytes_), segment_bytes_);
    const FetchedSegment fetched = FetchSegment(store_, segment, segment_bytes_, work_file, host_);
    return fetched.found && core::BeginOf(segment, segment_bytes_) + static_cast<Lsn>(fetched.bytes) >= until;
  }

  void Recover(const std::vector<BaseRecord>& chain, const Reference& reference) {
    const core::History history = NewestHistory(store_, segment_bytes_);
    Stopwatch watch;
    watch.Go();
    RecoveredServer server(job_, store_, chain, history, {}, host_);
    Say("unpacking", 0);
    server.Unpack();
    const auto show = [&](Lsn replayed) { Say("replaying", replayed); };
    server.Replay(reference.lsn, reference.lsn - 1, show);
    if (server.HasEnded()) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  "a standby takes no sessions at " + core::FormatLsn(reference.lsn) +
                      ": a transaction with more than 64 subtransactions was going on there",
                  {}, "It is tried again by itself; where such transactions are long, have drills while none is.");
    }
    watch.Halt();
    WalDump dump(job_, store_, history, segment_bytes_, server.place().directory(), host_);
    record_.tables = static_cast<int>(reference.contents.tables.size());
    Say("comparing", reference.lsn);
    record_.result = CompareRecovered(job_, server, reference, dump);
    const WalReach reach = FindWalReach(job_, store_, history, segment_bytes_, server.place().directory(), host_);
    const std::int64_t read_at = NowMicros();
    watch.Go();
    server.Replay(reach.to, reach.last_record, show);
    record_.newest_lsn = server.Replayed();
    const std::int64_t commit = server.LastCommitMicros();
    Say("promoting", record_.newest_lsn);
    server.Promote();
    watch.Halt();
    record_.rto_ms = watch.Milliseconds();
    if (commit > 0) {
      record_.newest_time = commit / 1'000'000;
      record_.rpo_ms = std::max<std::int64_t>(0, (read_at - commit) / 1000);
    }
  }

  /// What this node counted of itself shows that what it holds comes back. That it holds what the bank's database does
  /// is shown by what somebody else has read, and has proven by a restore.
  void RecoverToBackup() {
    const std::optional<BackupComparison> compared = CompareWithBackup(
        job_, store_, host_, progress_, [this](const std::string& backup) { return WasCompared(backup); });
    if (!compared) return;
    record_.backup = compared->backup;
    record_.reference += ", and what " + compared->words + " has";
    if (compared->result == "ok") return;
    record_.result = (record_.result == "ok" ? "" : record_.result + "; ") + "by " + compared->words + ", from base " +
                     compared->base + ": " + compared->result;
  }

  bool WasCompared(const std::string& backup) const {
    const std::vector<core::DrillRecord> drills = ReadDrills(store_);
    return std::any_of(drills.begin(), drills.end(), [&](const core::DrillRecord& drill) {
      return drill.backup == backup && drill.error.empty() && drill.result == "ok";
    });
  }

  void Say(const std::string& phase, Lsn replayed) { progress_(phase, replayed); }

  void End(const std::string& error) {
    record_.error = error;
    record_.finished_at = host_.Now();
    try {
      WriteFileAtomically(store_.DrillsPath() + "/" + record_.id + ".json", core::ToJson(record_), 0600);
      NoteInBase();
      ForgetOld();
    } catch (const Error& not_saved) {
      if (record_.error.empty()) record_.error = Describe(not_saved);
    }
  }

  void NoteInBase() const {
    if (record_.base.empty() || (record_.error.empty() ? record_.result.empty() : !against_chain_)) return;
    for (BaseRecord base : store_.Bases()) {
      if (base.id != record_.base) continue;
      base.drilled_at = record_.finished_at;
      base.drill_result = record_.error.empty() ? record_.result : record_.error;
      store_.SaveBase(base);
    }
  }

  void ForgetOld() const {
    const std::vector<std::string> names = ListDirectory(store_.DrillsPath());
    for (std::size_t i = 0; i + kKeptDrills < names.size(); ++i) RemoveTree(store_.DrillsPath() + "/" + names[i]);
  }

  const RecoveryJob& job_;
  RunHost& host_;
  const DrillProgress& progress_;
  const PauseTeller& tell_;
  RecoveryStore store_;
  core::DrillRecord record_;
  bool against_chain_ = false;
  std::int64_t segment_bytes_ = 0;
};

}  // namespace

core::DrillRecord RunDrill(const RecoveryJob& job, RunHost& host, const DrillProgress& progress,
                           const PauseTeller& tell) {
  return Drill(job, host, progress, tell).ToTheEnd();
}

std::vector<core::DrillRecord> ReadDrills(const RecoveryStore& store) {
  std::vector<core::DrillRecord> drills;
  if (!IsDirectory(store.DrillsPath())) return drills;
  for (const std::string& name : ListDirectory(store.DrillsPath())) {
    try {
      drills.push_back(core::ParseDrillRecord(ReadFile(store.DrillsPath() + "/" + name, core::kMaxDrillRecordBytes)));
    } catch (const Error&) {
      continue;
    }
  }
  return drills;
}

}  // namespace mfi::os
