#include "pg/backup/backup_scheduler.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/schedule/schedule.h"
#include "pg/backup/backup_notices.h"
#include "pg/backup/run_request.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/database_exists.h"
#include "pg/server/identity.h"
#include "pg/server/pg_zone_rule.h"
#include "pg/server/settings.h"

extern "C" {
#include "access/xlog.h"
}

namespace mfi::pg {
namespace {

using core::UtcSeconds;

constexpr long kPollNotifications = 200;
constexpr long kNothingDue = 3600 * 1000;

bool BackupsAreOn() { return settings::backup_directory[0] != '\0'; }

}  // namespace

/// Whoever waits for a verification that an earlier launcher had in its queue would wait for ever.
void BackupScheduler::Start() {
  watching_since_ = started_ = UtcNow();
  for (const std::uint64_t ticket : TicketsWithoutRequest()) {
    AnswerUnlessAnswered(ticket, "the launcher was restarted before it began");
  }
}

long BackupScheduler::Round() {
  TakeRequests();
  CancelRuns();
  WatchRunner();
  Tidy();
  next_run_at_.reset();
  const bool exists = CallPg([] { return DatabaseExists(settings::database); });
  const bool primary = !CallPg([] { return RecoveryInProgress(); });
  if (primary && BackupsAreOn() && exists) {
    directory_.Refresh();
    notifications_.Recall(directory_.last_failed());
    notifications_.WatchAge(directory_.newest_verified(), started_);
    FollowSchedule();
    ProveAgain();
  } else {
    watching_since_ = UtcNow();
    ShowPlan({});
  }
  StartNext();
  ShowWaiting(queue_.Size());
  notifications_.Poll();
  if (notifications_.Busy()) return kPollNotifications;
  if (!next_run_at_) return kNothingDue;
  return static_cast<long>(std::clamp<UtcSeconds>(*next_run_at_ - UtcNow(), 0, kNothingDue / 1000)) * 1000;
}

void BackupScheduler::TakeRequests() {
  const bool any =
      queue_.TakeSubmitted([this](WaitingRequest& waiting, const std::string& why) { Fail(waiting, why); });
  if (any) directory_.ReadAgain();
}

void BackupScheduler::CancelRuns() {
  for (const std::string& id : TakeCancels()) {
    if (queue_.Cancel(id)) {
      tidier_.Untidy();
      directory_.ReadAgain();
      AnnounceChange();
    } else {
      // It may have begun since it was asked for.
      CancelCurrent(id);
    }
  }
}

void BackupScheduler::WatchRunner() {
  RunnerWatch::Ends ends = runner_.Look();
  if (ends.a_run || ends.a_process) directory_.ReadAgain();
  if (ends.a_process) tidier_.Untidy();
  if (!ends.backup.empty()) notifications_.RunEnded(ends.backup);
  if (ends.not_begun) Fail(*ends.not_begun, "the backup's process could not be started (see the server's log)");
}

/// A runner that outlived its launcher is waited for. A directory that is not usable now is tidied when it is.
void BackupScheduler::Tidy() {
  if (runner_.HasProcess() || runner_.Busy() || !BackupsAreOn()) return;
  tidier_.Tidy([this](const std::string& id) { notifications_.RunEnded(id); });
}

core::Plan BackupScheduler::MakePlan(const std::optional<core::Schedule>& schedule) const {
  const std::vector<core::PastRun> runs = directory_.Runs();
  return core::MakePlan({.schedule = schedule ? &*schedule : nullptr,
                         .schedule_id = schedule_id_,
                         .now = UtcNow(),
                         .watching_since = watching_since_,
                         .server_start = ServerStart(),
                         .backup_on_start = settings::backup_on_start,
                         .history = runs,
                         .newest_verified_finished = directory_.newest_verified(),
                         .run_in_progress = queue_.HasBackup() || CurrentBackup()});
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
  const core::Plan plan = MakePlan(schedule);
  if (plan.due) {
    BackupRequest request{};
    AssignId(request);
    strlcpy(request.trigger, std::string(core::ToString(plan.due->trigger)).c_str(), sizeof(request.trigger));
    strlcpy(request.slot_key, plan.due->slot_key.c_str(), sizeof(request.slot_key));
    strlcpy(request.schedule_id, schedule_id_.c_str(), sizeof(request.schedule_id));
    request.attempt = plan.due->attempt;
    Enqueue(request);
  }
  ShowPlan(plan);
}

/// What kept the newest set from being proven (room, memory, a kill) may be gone.
void BackupScheduler::ProveAgain() {
  const std::optional<core::PendingProof> proof = directory_.proof();
  if (!proof || !queue_.Empty() || runner_.Busy()) return;
  if (settings::BackupVerify() != core::VerifyMethod::kRestore) return;
  if (UtcNow() < proof->at) {
    next_run_at_ = std::min(next_run_at_.value_or(proof->at), proof->at);
    return;
  }
  directory_.TakeProof();
  Enqueue(NewVerification(proof->id));
}

void BackupScheduler::ShowPlan(const core::Plan& plan) {
  next_run_at_ = plan.next_run_at;
  ShowNextRun(plan.next_run_at);
}

void BackupScheduler::Enqueue(const Request& request) {
  queue_.Add(request, [this](WaitingRequest& waiting, const std::string& why) { Fail(waiting, why); });
  directory_.ReadAgain();
}

void BackupScheduler::StartNext() {
  if (runner_.Busy()) return;
  std::optional<WaitingRequest> next = queue_.Next();
  if (!next) return;
  std::optional<WaitingRequest> back = runner_.Start(std::move(*next));
  if (back) Fail(*back, "no background worker is free for the backup (raise max_worker_processes and restart)");
}

/// Ends a request that no runner works at: its record, whoever waits for it, the log and mfi.notify_command are told.
void BackupScheduler::Fail(WaitingRequest& waiting, const std::string& error) {
  if (const auto* verification = std::get_if<VerifyRequest>(&waiting.request)) {
    Answer(verification->ticket, error, true);
    return;
  }
  const auto& request = std::get<BackupRequest>(waiting.request);
  const bool recorded = RecordFailure(waiting, error);
  core::RunRecord failed = ToRecord(request);
  failed.state = core::RunState::kFailed;
  failed.error = error;
  failed.finished_at = UtcNow();
  notifications_.RunEnded(failed);
  if (!recorded) directory_.RememberUnrecorded(request);
  directory_.ReadAgain();
  ReportFailure(request.id, error);
  AnnounceChange();
  const char* id = request.id;
  const char* text = error.c_str();
  CallPg([&] { ereport(LOG, (errmsg("mfi backup %s failed: %s", id, text))); });
}

}  // namespace mfi::pg
