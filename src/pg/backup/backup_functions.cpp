#include <sys/stat.h>

#include <chrono>
#include <string>

#include "core/base/error.h"
#include "os/backup/expire.h"
#include "os/backup/record_store.h"
#include "pg/backup/answering_directory.h"
#include "pg/backup/run_board.h"
#include "pg/backup/run_request.h"
#include "pg/server/bridge.h"
#include "pg/server/identity.h"
#include "pg/server/own_locks.h"
#include "pg/server/settings.h"
#include "pg/server/worker_presence.h"

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
  RequirePreloaded();
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

enum class Outcome { kGoingOn, kSucceeded, kFailed };

/// How the run stands; fills `error` when it failed.
Outcome Look(const BackupRequest& request, char* error, std::size_t size) {
  const Standing standing = FindRun(request.id, error, size);
  if (standing == Standing::kGoingOn) return Outcome::kGoingOn;
  if (standing == Standing::kFailed) return Outcome::kFailed;
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
void WaitForEnd(const BackupRequest& request) {
  static char error[kReasonLength];
  error[0] = '\0';
  BeginAwaitingChanges();
  for (;;) {
    const Outcome outcome = Guard([&] { return Look(request, error, sizeof(error)); });
    if (outcome == Outcome::kSucceeded) break;
    if (outcome == Outcome::kFailed) {
      EndAwaitingChanges();
      ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION), errmsg("backup %s failed: %s", request.id, error),
                      errhint("SELECT * FROM mfi_backups WHERE id = '%s' shows its record.", request.id)));
    }
    AwaitChange(kLookAgainMs);
  }
  EndAwaitingChanges();
  if (error[0] == '\0') return;
  ereport(WARNING, (errmsg("backup %s is complete, but: %s", request.id, error),
                    errhint("SELECT mfi_backup_verify('%s') tries again to prove it.", request.id)));
}

/// Throws unless a text that somebody wants kept in a file is as short as such texts must be.
void CheckLength(const char* what, const std::string& text) {
  if (text.size() < kNoteLength) return;
  throw core::Error(core::sqlstate::kInvalidParameterValue, std::string(what) + " is " + std::to_string(text.size()) +
                                                                " bytes long, at most " +
                                                                std::to_string(kNoteLength - 1) + " are kept");
}

void SetNote(BackupRequest& request, const std::string& note) {
  CheckLength("the note", note);
  strlcpy(request.note, note.c_str(), sizeof(request.note));
}

/// Throws unless the run is one that can still be cancelled.
void Cancel(const std::string& id) {
  if (!IsSubmitted(id)) {
    const os::StoredRun run = os::ReadRun(AnsweringDirectory().RunsPath(), id);
    if (core::IsFinal(run.record.state)) {
      throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                        "backup " + id + " is over: " + core::ToString(run.record.state));
    }
  }
  RequestCancel(id);
}

/// Plain frame: everything here may raise.
void WaitForAnswer(std::uint64_t ticket, VerifyAnswer& answer) {
  BeginAwaitingChanges();
  while (!Guard([&] { return TakeAnswer(ticket, answer); })) {
    AwaitChange(kLookAgainMs);
  }
  EndAwaitingChanges();
}

std::string Argument(FunctionCallInfo fcinfo, int index) {
  return CallPg([&] { return text_to_cstring(PG_GETARG_TEXT_PP(index)); });
}

/// Rewrites the manifest of a set as `change` wants it, while retention keeps away.
template <typename Change>
void ChangeManifest(const std::string& id, Change change) {
  const os::BackupDirectory directory = AnsweringDirectory();
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
  if (wait) {
    pg::RefuseOwnLocks(pg::settings::database, "the backup", "Commit first, or call mfi_backup_now() without wait.");
  }
  static pg::BackupRequest request;
  request = {};
  pg::Guard([&] {
    pg::AnsweringDirectory().CheckUsable(DataDir);
    if (!PG_ARGISNULL(1)) pg::SetNote(request, pg::Argument(fcinfo, 1));
    strlcpy(request.trigger, "manual", sizeof(request.trigger));
    strlcpy(request.schedule_id, pg::ScheduleId().c_str(), sizeof(request.schedule_id));
    request.attempt = 1;
    pg::CheckBoardHasRoom();
    pg::AssignId(request);
    pg::Submit(request);
  });
  if (wait) pg::WaitForEnd(request);
  PG_RETURN_TEXT_P(cstring_to_text(request.id));
}

extern "C" Datum mfi_backup_cancel(PG_FUNCTION_ARGS) {
  using namespace mfi;
  pg::RequirePreloaded();
  pg::Guard([&] { pg::Cancel(pg::Argument(fcinfo, 0)); });
  PG_RETURN_BOOL(true);
}

extern "C" Datum mfi_backup_verify(PG_FUNCTION_ARGS) {
  using namespace mfi;
  pg::CheckLauncher();
  static pg::VerifyAnswer answer;
  const std::uint64_t ticket = pg::Guard([&] {
    const std::string id = pg::Argument(fcinfo, 0);
    const os::BackupDirectory directory = pg::AnsweringDirectory();
    directory.CheckUsable(DataDir);
    directory.FindSet(id);
    pg::CheckBoardHasRoom();
    return pg::SubmitVerification(id);
  });
  pg::WaitForAnswer(ticket, answer);
  if (answer.failed) {
    ereport(ERROR,
            (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
             errmsg("backup set %s could not be verified: %s", text_to_cstring(PG_GETARG_TEXT_PP(0)), answer.text)));
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
