#include "pg/backup/backup_scheduler.h"

#include <algorithm>
#include <climits>

#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/timestamp.h"
#include "os/restore/scratch_server.h"
#include "pg/backup/backup_notices.h"
#include "pg/backup/run_request.h"
#include "pg/node/node.h"
#include "pg/server/bridge.h"
#include "pg/server/database_exists.h"
#include "pg/server/settings.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xlog.h"
#include "postmaster/bgworker.h"
}

namespace mfi::pg {
namespace {

using core::PastRun;
using core::RunState;
using core::UtcSeconds;

constexpr std::int64_t kReadEvery = core::kMinute;
constexpr long kPollNotifications = 200;
constexpr long kNothingDue = 3600 * 1000;

PastRun ToPast(const core::RunRecord& run, bool alive) {
  PastRun past{.trigger = core::ParseTrigger(run.trigger).value_or(core::Trigger::kManual),
               .slot_key = run.slot_key,
               .schedule_id = run.schedule_id,
               .queued_at = run.queued_at,
               .finished_at = run.finished_at,
               .server_start = run.server_start,
               .attempt = std::max(1, run.attempt)};
  past.succeeded =
      run.state == RunState::kSucceeded || run.state == RunState::kExpired || run.state == RunState::kMissing;
  past.cancelled = run.state == RunState::kCancelled;
  // An interrupted run of another node is nobody's to close; it is over all the same.
  if (!alive && !past.finished_at) past.finished_at = run.queued_at;
  return past;
}

PastRun ToPast(const BackupRequest& request) {
  core::RunRecord record = ToRecord(request);
  record.state = RunState::kFailed;
  record.finished_at = UtcNow();
  return ToPast(record, false);
}

/// Whether the newest run that came to an end by itself failed.
bool LastFailed(const std::vector<PastRun>& oldest_first) {
  const auto last = std::find_if(oldest_first.rbegin(), oldest_first.rend(),
                                 [](const PastRun& run) { return run.finished_at && !run.cancelled; });
  return last != oldest_first.rend() && !last->succeeded;
}

bool BackupsAreOn() { return settings::backup_directory[0] != '\0'; }

}  // namespace

/// Whoever waits for a verification that an earlier launcher had in its queue would wait for ever.
void BackupScheduler::Start() {
  watching_since_ = started_ = UtcNow();
  for (const std::uint64_t ticket : TicketsWithoutRequest()) {
    AnswerUnlessAnswered(ticket, "the launcher was restarted before it began");
  }
}

/// Closes the records of runs that died and removes what they left. A runner that outlived its launcher is waited for:
/// what it has half done is not left over. A directory that is not usable now is tidied when it is. Each step is done
/// whatever becomes of the others.
void BackupScheduler::Tidy() {
  if (tidy_ || runner_ != nullptr || RunInProgress() || !BackupsAreOn()) return;
  const os::BackupDirectory directory = ConfiguredDirectory();
  std::string because;
  const auto done = [&](const auto& step) {
    try {
      step();
      return true;
    } catch (const PgError&) {
      throw;
    } catch (const core::Error& error) {
      if (!because.empty()) because += "; ";
      because += std::string(error.what()) + (error.hint().empty() ? "" : " (" + error.hint() + ")");
    }
    return false;
  };
  done([] { os::RemoveScratchLeftovers(ScratchDirectory(), NodeName()); });
  if (done([&] { directory.CheckUsable(DataDir); })) {
    done([&] { CloseInterrupted(directory); });
    done([&] { directory.RemoveLeftovers(); });
  }
  tidy_ = because.empty();
  std::swap(untidy_because_, because);
  if (tidy_ || untidy_because_ == because) return;
  const char* text = untidy_because_.c_str();
  CallPg([&] { ereport(LOG, (errmsg("mfi could not tidy the backup directory: %s", text))); });
}

void BackupScheduler::CloseInterrupted(const os::BackupDirectory& directory) {
  for (const std::string& id : os::CloseInterruptedRuns(directory, NodeName(), UtcNow())) {
    const char* text = id.c_str();
    CallPg([&] { ereport(LOG, (errmsg("mfi backup %s was interrupted", text))); });
    TellEnd(id);
  }
}

/// Verifications do not count: whoever asks for one after the other must not keep the schedule from its turn.
bool BackupScheduler::BackupInProgress() const {
  const auto is_backup = [](const Waiting& waiting) { return std::holds_alternative<BackupRequest>(waiting.request); };
  return std::any_of(waiting_.begin(), waiting_.end(), is_backup) || CurrentBackup();
}

bool BackupScheduler::RunInProgress() const { return Current().state != RunnerState::kNone; }

long BackupScheduler::Round() {
  TakeRequests();
  CancelWaiting();
  WatchRunner();
  Tidy();
  next_run_at_.reset();
  const bool exists = CallPg([] { return DatabaseExists(settings::database); });
  const bool primary = !CallPg([] { return RecoveryInProgress(); });
  if (primary && BackupsAreOn() && exists) {
    ReadDirectory();
    WatchAge();
    FollowSchedule();
    ProveAgain();
  } else {
    watching_since_ = UtcNow();
    Publish({});
  }
  StartNext();
  ShowWaiting(static_cast<int>(waiting_.size()));
  notifications_.Poll();
  if (notifications_.Busy()) return kPollNotifications;
  if (!next_run_at_) return kNothingDue;
  return static_cast<long>(std::clamp<UtcSeconds>(*next_run_at_ - UtcNow(), 0, kNothingDue / 1000)) * 1000;
}

void BackupScheduler::ReadDirectory() {
  const UtcSeconds now = UtcNow();
  const bool fresh = directory_read_ == settings::backup_directory && now - directory_read_at_ < kReadEvery &&
                     now >= directory_read_at_;
  if (fresh) return;
  history_.clear();
  newest_verified_.reset();
  prove_at_.reset();
  directory_read_ = settings::backup_directory;
  directory_read_at_ = now;
  try {
    bool whole = true;
    core::UtcSeconds newest = 0;
    const std::vector<os::HistoryEntry> history = os::ReadHistory(ConfiguredDirectory(), &whole);
    if (!whole && whole_)
      CallPg([] { ereport(LOG, (errmsg("mfi: %s", os::kNotWhole), errhint("%s", os::kNotWholeHint))); });
    whole_ = whole;
    for (const os::HistoryEntry& entry : history) {
      if (entry.run.database != settings::database) continue;
      history_.push_back(ToPast(entry.run, entry.alive));
      const bool own = entry.run.system_identifier == SystemIdentifier();
      if (own && entry.has_set && entry.run.verify_result == "ok" && entry.run.finished_at) {
        newest_verified_ = std::max(newest_verified_.value_or(0), *entry.run.finished_at);
      }
      if (own && entry.has_set && entry.run.finished_at.value_or(0) >= newest) {
        newest = entry.run.finished_at.value_or(0);
        unproven_ = entry.run.id;
        prove_at_.reset();
        if (entry.run.verify_result.empty() && entry.run.proof_tried_at) {
          prove_at_ = core::NextProof(entry.run.proof_attempts, *entry.run.proof_tried_at);
        }
      }
    }
    if (!trouble_) trouble_ = LastFailed(history_);
  } catch (const PgError&) {
    throw;
  } catch (const core::Error&) {
    // A directory that cannot be read: the run that is due will say so, and be remembered in unrecorded_.
  }
}

/// A request leaves shared memory only when its record is there: who waits for it always finds one of them.
void BackupScheduler::TakeRequests() {
  while (const std::optional<Request> request = OldestRequest()) {
    Enqueue(*request);
    TakenOver(static_cast<int>(waiting_.size()));
  }
}

void BackupScheduler::Enqueue(const Request& request) {
  Waiting waiting{.request = request};
  const os::BackupDirectory directory = ConfiguredDirectory();
  try {
    directory.CheckUsable(DataDir);
    directory.Prepare();
    if (const auto* backup = std::get_if<BackupRequest>(&request)) {
      waiting.record.emplace(directory.RunsPath(), ToRecord(*backup));
      waiting.record->Save();
    }
    waiting_.push_back(std::move(waiting));
  } catch (const PgError&) {
    throw;
  } catch (const core::Error& error) {
    Fail(waiting, std::string(error.what()) + (error.hint().empty() ? "" : " (" + error.hint() + ")"));
  }
  directory_read_.clear();
}

void BackupScheduler::Fail(Waiting& waiting, const std::string& error) {
  if (const auto* verification = std::get_if<VerifyRequest>(&waiting.request)) {
    Answer(verification->ticket, error, true);
    return;
  }
  const auto& request = std::get<BackupRequest>(waiting.request);
  bool recorded = false;
  if (waiting.record) {
    core::RunRecord& record = waiting.record->record();
    record.state = RunState::kFailed;
    record.error = error;
    record.finished_at = UtcNow();
    try {
      waiting.record->Save();
      recorded = true;
    } catch (const core::Error&) {
      recorded = false;  // told in shared memory and in the log, below
    }
  }
  core::RunRecord failed = ToRecord(request);
  failed.state = RunState::kFailed;
  failed.error = error;
  failed.finished_at = UtcNow();
  TellEnd(failed);
  if (!recorded) unrecorded_.push_back(ToPast(request));
  directory_read_.clear();
  ReportFailure(request.id, error);
  AnnounceChange();
  const char* id = request.id;
  const char* text = error.c_str();
  CallPg([&] { ereport(LOG, (errmsg("mfi backup %s failed: %s", id, text))); });
}

void BackupScheduler::CancelWaiting() {
  for (const std::string& id : TakeCancels()) Cancel(id);
}

void BackupScheduler::Cancel(const std::string& id) {
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (id != IdOf(it->request) || !it->record) continue;
    core::RunRecord& record = it->record->record();
    record.state = RunState::kCancelled;
    record.error = "cancelled by mfi_backup_cancel before it began";
    record.finished_at = UtcNow();
    try {
      it->record->Save();
    } catch (const core::Error& error) {
      // It is not begun all the same; its record, locked by nobody, is closed as interrupted.
      const char* text = error.what();
      CallPg([&] { ereport(LOG, (errmsg("mfi backup %s is cancelled, but: %s", id.c_str(), text))); });
    }
    waiting_.erase(it);
    tidy_ = false;
    directory_read_.clear();
    AnnounceChange();
    return;
  }
  // Not waiting any more: it may have begun between the request and now.
  CancelCurrent(id);
}

void BackupScheduler::WatchRunner() {
  // Also of a run that an earlier launcher started: its end must be known before anything is planned again.
  const CurrentRun current = Current();
  const bool in_progress = current.state != RunnerState::kNone;
  std::string running;
  std::uint64_t verifying = 0;
  if (in_progress) {
    if (const auto* backup = std::get_if<BackupRequest>(&current.request)) running = backup->id;
    if (const auto* verification = std::get_if<VerifyRequest>(&current.request)) verifying = verification->ticket;
  }
  if (verifying_ != 0 && verifying_ != verifying) {
    AnswerUnlessAnswered(verifying_, "its process ended without an answer (see the server's log)");
  }
  verifying_ = verifying;
  if (was_running_ && !in_progress) directory_read_.clear();
  was_running_ = in_progress;
  std::swap(running_, running);
  if (!running.empty() && running != running_) TellEnd(running);
  if (runner_ == nullptr) return;
  BackgroundWorkerHandle* handle = runner_;
  const BgwHandleStatus status = CallPg([&] {
    pid_t pid = 0;
    return GetBackgroundWorkerPid(handle, &pid);
  });
  if (status != BGWH_STOPPED) return;
  const bool never_began = TakeBack();
  CallPg([&] { pfree(handle); });
  runner_ = nullptr;
  if (never_began) running_.clear();
  if (never_began && starting_) Fail(*starting_, "the backup's process could not be started (see the server's log)");
  starting_.reset();
  tidy_ = false;
  directory_read_.clear();
}

/// An interrupted run is told of when its record is closed.
void BackupScheduler::TellEnd(const std::string& id) {
  try {
    const os::StoredRun stored = os::ReadRun(ConfiguredDirectory().RunsPath(), id);
    if (!stored.interrupted && !stored.alive) TellEnd(stored.record);
  } catch (const PgError&) {
    throw;
  } catch (const core::Error&) {
    core::RunRecord lost{.id = id, .state = RunState::kFailed, .database = settings::database, .node = NodeName()};
    lost.error = NewestFailure().error;
    TellEnd(lost);
  }
}

void BackupScheduler::TellEnd(const core::RunRecord& run) {
  notifications_.RunEnded(run, stale_told_ || trouble_.value_or(false));
  if (run.state == RunState::kFailed) trouble_ = true;
  if (run.state == RunState::kSucceeded) trouble_ = false;
}

void BackupScheduler::WatchAge() {
  const UtcSeconds age = UtcNow() - newest_verified_.value_or(started_);
  const bool stale = age > settings::backup_max_age_s;
  if (stale && !stale_told_) {
    notifications_.Stale(newest_verified_ ? "the newest verified backup is " + core::FormatDuration(age) +
                                                " old, allowed are " + core::FormatDuration(settings::backup_max_age_s)
                                          : "there is no verified backup");
  }
  stale_told_ = stale;
}

core::Plan BackupScheduler::MakePlan(const std::optional<core::Schedule>& schedule) const {
  std::vector<PastRun> all = history_;
  all.insert(all.end(), unrecorded_.begin(), unrecorded_.end());
  return core::MakePlan({.schedule = schedule ? &*schedule : nullptr,
                         .schedule_id = schedule_id_,
                         .now = UtcNow(),
                         .watching_since = watching_since_,
                         .server_start = ServerStart(),
                         .backup_on_start = settings::backup_on_start,
                         .history = all,
                         .newest_verified_finished = newest_verified_,
                         .run_in_progress = BackupInProgress()});
}

void BackupScheduler::FollowSchedule() {
  if (schedule_id_ != ScheduleId()) {
    if (!schedule_id_.empty()) watching_since_ = UtcNow();
    schedule_id_ = ScheduleId();
  }
  const pg_tz* tz = CallPg([] { return pg_tzset(settings::ScheduleTimezone()); });
  std::optional<PgZoneRule> zone;
  std::optional<core::Schedule> schedule;
  if (!ScheduleIsHeld() && tz != nullptr && settings::backup_schedule[0] != '\0') {
    zone.emplace(tz);
    schedule.emplace(core::Cron::Parse(settings::backup_schedule), *zone);
  }
  core::Plan plan = MakePlan(schedule);
  if (plan.due) {
    BackupRequest request{};
    AssignId(request);
    strlcpy(request.trigger, std::string(core::ToString(plan.due->trigger)).c_str(), sizeof(request.trigger));
    strlcpy(request.slot_key, plan.due->slot_key.c_str(), sizeof(request.slot_key));
    strlcpy(request.schedule_id, schedule_id_.c_str(), sizeof(request.schedule_id));
    request.attempt = plan.due->attempt;
    Enqueue(request);
  }
  Publish(plan);
}

/// What kept the newest set from being proven (room, memory, a kill) may be gone.
void BackupScheduler::ProveAgain() {
  if (!prove_at_ || !waiting_.empty() || starting_ || RunInProgress()) return;
  if (settings::BackupVerify() != core::VerifyMethod::kRestore) return;
  if (UtcNow() < *prove_at_) {
    next_run_at_ = std::min(next_run_at_.value_or(*prove_at_), *prove_at_);
    return;
  }
  prove_at_.reset();
  Enqueue(NewVerification(unproven_));
}

void BackupScheduler::Publish(const core::Plan& plan) {
  next_run_at_ = plan.next_run_at;
  ShowNextRun(plan.next_run_at);
}

void BackupScheduler::StartNext() {
  if (waiting_.empty() || starting_ || RunInProgress()) return;
  starting_ = std::move(waiting_.front());
  waiting_.pop_front();
  HandOver(starting_->request);
  BackgroundWorkerHandle* handle =
      CallPg([] { return StartWorker("mfi runner", "mfi_runner_main", WorkerKind::kWithDatabase); });
  if (handle != nullptr) {
    runner_ = handle;
    return;
  }
  TakeBack();
  Fail(*starting_, "no background worker is free for the backup (raise max_worker_processes and restart)");
  starting_.reset();
}

}  // namespace mfi::pg
