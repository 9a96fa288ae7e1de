#include <sys/stat.h>

#include <chrono>
#include <string>

#include "core/base/error.h"
#include "os/backup/expire.h"
#include "os/backup/record_store.h"
#include "pg/backup/run_request.h"
#include "pg/node/node.h"
#include "pg/server/bridge.h"
#include "pg/server/own_locks.h"
#include "pg/server/settings.h"

extern "C" {
#include "access/xlog.h"
#include "commands/dbcommands.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/wait_event.h"

PG_FUNCTION_INFO_V1(mfi_backup_now);
PG_FUNCTION_INFO_V1(mfi_backup_cancel);
PG_FUNCTION_INFO_V1(mfi_backup_verify);
PG_FUNCTION_INFO_V1(mfi_backup_hold);
PG_FUNCTION_INFO_V1(mfi_backup_release);
PG_FUNCTION_INFO_V1(mfi_backup_adopt);
}

// The functions that act on backups.
namespace mfi::pg {
namespace {

constexpr std::chrono::seconds kOthersChange{5};  // a manifest each, or the deletion of sets
constexpr long kLookForLockMs = 20;
constexpr long kLookAgainMs = 1000;

/// Raises the error that tells why nothing can be asked of the launcher now.
void CheckLauncher() {
  RequireShared();
  if (!LauncherAlive()) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the mfi launcher is not running"),
                    errhint("It restarts by itself within seconds; if not, read the server's log.")));
  }
  if (!OidIsValid(get_database_oid(settings::database, true))) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_DATABASE), errmsg("there is no database \"%s\"", settings::database),
                    errhint("Create it, or set mfi.database and restart.")));
  }
}

void RefuseStandby() {
  if (!RecoveryInProgress()) return;
  ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION), errmsg("backups are started on the primary"),
                  errdetail("This server is a standby."), errhint("Connect to the primary and call it there.")));
}

/// Throws when so many requests wait that one more is refused.
void CheckQueue(const SharedState& shared) {
  if (shared.request_count + shared.waiting_count < kMaxWaiting) return;
  throw core::Error(core::sqlstate::kConfigurationLimit,
                    std::to_string(kMaxWaiting) + " backups or verifications are waiting already", {},
                    "Wait for them, or cancel one: SELECT id FROM mfi_backups WHERE state = 'queued'.");
}

void CheckQueue() {
  const StateLock lock(LW_SHARED);
  CheckQueue(*Shared());
}

enum class Kind { kBackup, kVerification };

void Submit(RunRequest& request, Kind kind) {
  {
    const StateLock lock(LW_EXCLUSIVE);
    SharedState& shared = *Shared();
    CheckQueue(shared);
    if (kind == Kind::kVerification) request.verify_ticket = ++shared.last_ticket;
    shared.requests[shared.request_count++] = request;
  }
  WakeLauncher();
}

enum class Outcome { kGoingOn, kSucceeded, kFailed };

/// How the run stands; fills `error` when it failed.
Outcome Look(const RunRequest& request, char* error, std::size_t size) {
  {
    const StateLock lock(LW_SHARED);
    const SharedState& shared = *Shared();
    for (int i = 0; i < shared.request_count; ++i) {
      if (strcmp(shared.requests[i].id, request.id) == 0) return Outcome::kGoingOn;
    }
    if (strcmp(shared.last_failed_id, request.id) == 0) {
      strlcpy(error, shared.last_failure, size);
      return Outcome::kFailed;
    }
    if (shared.current.state != RunnerState::kNone && strcmp(shared.current.request.id, request.id) == 0)
      return Outcome::kGoingOn;
  }
  try {
    const os::StoredRun run = os::ReadRun(ConfiguredDirectory().RunsPath(), request.id);
    if (!core::IsFinal(run.record.state)) return Outcome::kGoingOn;
    if (run.record.state == core::RunState::kSucceeded || run.record.state == core::RunState::kExpired) {
      if (run.record.verify_result != "ok") strlcpy(error, run.record.error.c_str(), size);
      return Outcome::kSucceeded;
    }
    strlcpy(error, run.record.error.c_str(), size);
  } catch (const core::Error&) {
    strlcpy(error, "its record is gone", size);
  }
  return Outcome::kFailed;
}

/// Plain frame: everything here may raise. A set that is there and could not be proven is told as a warning.
void WaitForEnd(const RunRequest& request) {
  static char error[kReasonLength];
  error[0] = '\0';
  ConditionVariablePrepareToSleep(&Shared()->run_changed);
  for (;;) {
    const Outcome outcome = Guard([&] { return Look(request, error, sizeof(error)); });
    if (outcome == Outcome::kSucceeded) break;
    if (outcome == Outcome::kFailed) {
      ConditionVariableCancelSleep();
      ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION), errmsg("backup %s failed: %s", request.id, error),
                      errhint("SELECT * FROM mfi_backups WHERE id = '%s' shows its record.", request.id)));
    }
    ConditionVariableTimedSleep(&Shared()->run_changed, kLookAgainMs, PG_WAIT_EXTENSION);
  }
  ConditionVariableCancelSleep();
  if (error[0] == '\0') return;
  ereport(WARNING, (errmsg("backup %s is complete, but: %s", request.id, error),
                    errhint("SELECT mfi_backup_verify('%s') tries again to prove it.", request.id)));
}

/// The answer to this verification, once it is there.
bool TakeAnswer(std::uint64_t ticket, VerifyAnswer& answer) {
  const StateLock lock(LW_SHARED);
  const SharedState& shared = *Shared();
  if (shared.launcher_pid == 0) {
    throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "the launcher ended before the set was verified",
                      {}, "Call it again in a few seconds.");
  }
  answer = shared.answers[ticket % kMaxRequests];
  if (answer.ticket > ticket) {
    throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "the answer has been overwritten by later ones",
                      {}, "SELECT id, verify_result, verified_at FROM mfi_backups shows it.");
  }
  return answer.ticket == ticket;
}

/// Throws unless a text that somebody wants kept in a file is as short as such texts must be.
void CheckLength(const char* what, const std::string& text) {
  if (text.size() < kNoteLength) return;
  throw core::Error(core::sqlstate::kInvalidParameterValue, std::string(what) + " is " + std::to_string(text.size()) +
                                                                " bytes long, at most " +
                                                                std::to_string(kNoteLength - 1) + " are kept");
}

void SetNote(RunRequest& request, const std::string& note) {
  CheckLength("the note", note);
  strlcpy(request.note, note.c_str(), sizeof(request.note));
}

/// Asks the process that has the run to cancel it: its runner, or the launcher as long as it waits.
void RequestCancel(const std::string& id) {
  bool requested = false;
  {
    const StateLock lock(LW_SHARED);
    const SharedState& shared = *Shared();
    for (int i = 0; i < shared.request_count; ++i) requested = requested || id == shared.requests[i].id;
  }
  if (!requested) {
    const os::StoredRun run = os::ReadRun(ConfiguredDirectory().RunsPath(), id);
    if (core::IsFinal(run.record.state)) {
      throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                        "backup " + id + " is over: " + core::ToString(run.record.state));
    }
  }
  bool full = false;
  {
    const StateLock lock(LW_EXCLUSIVE);
    SharedState& shared = *Shared();
    if (id == shared.current.request.id && shared.current.runner_latch != nullptr) {
      shared.current.cancel_requested = true;
      SetLatch(shared.current.runner_latch);
    } else {
      full = shared.cancel_count == kMaxRequests;
      if (!full) strlcpy(shared.cancel_ids[shared.cancel_count++], id.c_str(), kIdLength);
    }
  }
  if (full) {
    throw core::Error(core::sqlstate::kInsufficientResources, "too many backups are being cancelled", {},
                      "Call it again in a moment.");
  }
  WakeLauncher();
}

/// Plain frame: everything here may raise.
void WaitForAnswer(const RunRequest& request, VerifyAnswer& answer) {
  ConditionVariablePrepareToSleep(&Shared()->run_changed);
  while (!Guard([&] { return TakeAnswer(request.verify_ticket, answer); })) {
    ConditionVariableTimedSleep(&Shared()->run_changed, kLookAgainMs, PG_WAIT_EXTENSION);
  }
  ConditionVariableCancelSleep();
}

std::string Argument(FunctionCallInfo fcinfo, int index) {
  return CallPg([&] { return text_to_cstring(PG_GETARG_TEXT_PP(index)); });
}

/// Rewrites the manifest of a set as `change` wants it, while retention keeps away.
template <typename Change>
void ChangeManifest(const std::string& id, Change change) {
  const os::BackupDirectory directory = ConfiguredDirectory();
  directory.CheckUsable(DataDir);
  directory.Prepare();
  const auto deadline = std::chrono::steady_clock::now() + kOthersChange;
  while (!directory.ChangeManifest(id, change)) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw core::Error("55006", "sets are being deleted or changed right now", {}, "Call it again in a moment.");
    }
    CallPg([] {
      (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kLookForLockMs, PG_WAIT_EXTENSION);
      ResetLatch(MyLatch);
      CHECK_FOR_INTERRUPTS();
    });
  }
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_backup_now(PG_FUNCTION_ARGS) {
  using namespace mfi;
  const bool wait = !PG_ARGISNULL(0) && PG_GETARG_BOOL(0);
  pg::CheckLauncher();
  pg::RefuseStandby();
  if (wait) pg::RefuseOwnLocks(pg::settings::database);
  static pg::RunRequest request;
  request = {};
  pg::Guard([&] {
    pg::ConfiguredDirectory().CheckUsable(DataDir);
    if (!PG_ARGISNULL(1)) pg::SetNote(request, pg::Argument(fcinfo, 1));
    strlcpy(request.trigger, "manual", sizeof(request.trigger));
    strlcpy(request.schedule_id, pg::ScheduleId().c_str(), sizeof(request.schedule_id));
    request.attempt = 1;
    pg::CheckQueue();
    pg::AssignId(request);
    pg::Submit(request, pg::Kind::kBackup);
  });
  if (wait) pg::WaitForEnd(request);
  PG_RETURN_TEXT_P(cstring_to_text(request.id));
}

extern "C" Datum mfi_backup_cancel(PG_FUNCTION_ARGS) {
  using namespace mfi;
  pg::RequireShared();
  pg::Guard([&] { pg::RequestCancel(pg::Argument(fcinfo, 0)); });
  PG_RETURN_BOOL(true);
}

extern "C" Datum mfi_backup_verify(PG_FUNCTION_ARGS) {
  using namespace mfi;
  pg::CheckLauncher();
  static pg::RunRequest request;
  static pg::VerifyAnswer answer;
  request = {};
  pg::Guard([&] {
    const std::string id = pg::Argument(fcinfo, 0);
    pg::ConfiguredDirectory().CheckUsable(DataDir);
    pg::ConfiguredDirectory().FindSet(id);
    pg::CheckQueue();
    strlcpy(request.id, id.c_str(), sizeof(request.id));
    strlcpy(request.trigger, "verify", sizeof(request.trigger));
    pg::Submit(request, pg::Kind::kVerification);
  });
  pg::WaitForAnswer(request, answer);
  if (answer.failed) {
    ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
                    errmsg("backup set %s could not be verified: %s", request.id, answer.text)));
  }
  PG_RETURN_TEXT_P(cstring_to_text(answer.text));
}

extern "C" Datum mfi_backup_hold(PG_FUNCTION_ARGS) {
  using namespace mfi;
  pg::Guard([&] {
    const std::string reason = pg::Argument(fcinfo, 1);
    pg::CheckLength("the reason", reason);
    pg::ChangeManifest(pg::Argument(fcinfo, 0), [&](core::Manifest& manifest) {
      manifest.held = true;
      manifest.hold_reason = reason;
    });
  });
  PG_RETURN_BOOL(true);
}

extern "C" Datum mfi_backup_release(PG_FUNCTION_ARGS) {
  using namespace mfi;
  pg::Guard([&] {
    pg::ChangeManifest(pg::Argument(fcinfo, 0), [](core::Manifest& manifest) {
      manifest.held = false;
      manifest.hold_reason.clear();
    });
  });
  PG_RETURN_BOOL(true);
}

extern "C" Datum mfi_backup_adopt(PG_FUNCTION_ARGS) {
  using namespace mfi;
  pg::Guard([&] {
    const std::string id = pg::Argument(fcinfo, 0);
    pg::ChangeManifest(id, [&](core::Manifest& manifest) {
      const std::string own = pg::SystemIdentifier();
      if (manifest.run.system_identifier == own) {
        throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "set \"" + id + "\" is not foreign", {},
                          "SELECT id FROM mfi_backups WHERE is_foreign lists those that are.");
      }
      manifest.adopted_from = manifest.run.system_identifier;
      manifest.run.system_identifier = own;
    });
  });
  PG_RETURN_BOOL(true);
}
