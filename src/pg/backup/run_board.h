#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.h"
#include "pg/server/shared_memory.h"

// The board where sessions, the launcher and the runner tell each other of runs: a session submits a request, the
// launcher takes it over and hands it to a runner, the runner claims it, shows its progress and reports its end. It is
// in shared memory; the record of a run is in the backup directory. Unless a function says so, it needs the shared
// memory (RequirePreloaded), and neither waits nor fails.
namespace mfi::pg {

inline constexpr int kMaxRequests = 16;
inline constexpr int kMaxWaiting = 5;  // requests that nobody works at yet; less than kMaxRequests
inline constexpr int kIdLength = 256;
inline constexpr int kNoteLength = 512;

/// A backup as it is handed on: from a caller of mfi_backup_now to the launcher, from the launcher to the runner.
struct BackupRequest {
  char id[kIdLength];
  char trigger[16];
  char note[kNoteLength];
  char slot_key[64];
  char schedule_id[512];
  int attempt;
  std::int64_t queued_at;  // seconds UTC
};

/// A wish to verify a set. It has no record: whoever asked finds the answer by the ticket.
struct VerifyRequest {
  char id[kIdLength];  // of the set
  std::uint64_t ticket;
};

/// What a runner is started for. Plain data, whichever it is.
using Request = std::variant<BackupRequest, VerifyRequest>;

/// The id of the run, or of the set that is to be verified.
const char* IdOf(const Request& request);

/// What became of a request to verify a set.
struct VerifyAnswer {
  std::uint64_t ticket;
  bool failed;  // no verification could be made; text says why
  char text[kReasonLength];
};

enum class RunnerState { kNone, kStarting, kRunning };

/// The run in progress.
struct CurrentRun {
  RunnerState state;
  Request request;
  bool dumps_standby;  // what it dumps is the standby, not this node
  char phase[16];
  std::int64_t bytes;
  TimestampTz started_at;
};

/// Asks for the board's shared memory; called from _PG_init while preloading.
void InitRunBoard();

// What a session does.

/// Throws Error(53400) when so many requests wait that one more is refused.
void CheckBoardHasRoom();

/// Puts the request on the board and wakes the launcher. Throws as CheckBoardHasRoom.
void Submit(const BackupRequest& request);

/// The same for the verification of this set; returns its ticket.
std::uint64_t SubmitVerification(const std::string& id);

/// Whether a request of this id waits for the launcher to take it over.
bool IsSubmitted(const std::string& id);

enum class Standing { kUnknown, kGoingOn, kFailed };

/// What the board knows of a run; fills `failure` (of `size` bytes) when it failed. kUnknown: its record tells.
Standing FindRun(const char* id, char* failure, std::size_t size);

/// Has the runner that works at this run, or else the launcher, cancel it. Throws Error(53000) when the launcher has
/// too many others to cancel.
void RequestCancel(const std::string& id);

/// The answer to a verification, once it is there. Throws Error(55000) when it will not come, or has been overwritten.
bool TakeAnswer(std::uint64_t ticket, VerifyAnswer& answer);

/// A second of its own for the id of a run: now, or the next one that was not given out yet.
core::UtcSeconds TakeSecond(core::UtcSeconds now);

/// Waiting for a change on the board: begin, look, wait, look again ..., end. AwaitChange may raise an ERROR, so that
/// it is for plain frames.
void BeginAwaitingChanges();
void AwaitChange(long limit_ms);
void EndAwaitingChanges();

// What the launcher does.

/// The verification of this set, with a ticket of its own, that the launcher itself wants.
VerifyRequest NewVerification(const std::string& id);

/// Tickets given out whose verification neither waits nor is going on; of the newest, which can still be answered.
std::vector<std::uint64_t> TicketsWithoutRequest();

/// The request that has waited longest; it stays on the board until TakenOver, so that whoever waits for it always
/// finds it there or in its record.
std::optional<Request> OldestRequest();

/// Takes OldestRequest off the board. `waiting`: how many requests the launcher has taken and not begun.
void TakenOver(int waiting);
void ShowWaiting(int waiting);

/// Takes the ids of the runs that are to be cancelled off the board.
std::vector<std::string> TakeCancels();

/// Has the runner cancel this run, if it is the one that is going on.
void CancelCurrent(const std::string& id);

/// Tells those who wait that something has changed that is not on the board.
void AnnounceChange();

/// Makes this request the current run, for the runner to claim.
void HandOver(const Request& request);

/// Takes the current run back when no runner has claimed it; false when one has, or there is none.
bool TakeBack();

/// What the board must forget when the launcher ends. A runner that has not begun finds nothing to do, so that the next
/// launcher does not wait for it.
void LauncherLeavesBoard();

// What the runner does.

/// Takes the run that the launcher has handed over; false when there is none, because the launcher restarted meanwhile.
bool Claim(Request& request);

bool CancelRequested();
void ShowProgress(const std::string& phase, std::int64_t bytes);
void ShowDumpsStandby(bool dumps);

/// Ends the current run, whatever became of it.
void RunnerLeavesBoard();

// What the launcher or the runner does.

/// How the newest run ended: it failed for this reason.
void ReportFailure(const std::string& id, const std::string& error);
void ReportSuccess();

/// Leaves the answer to a verification for the session that waits for it.
void Answer(std::uint64_t ticket, const std::string& text, bool failed);

/// The same as a failure, unless there is an answer already.
void AnswerUnlessAnswered(std::uint64_t ticket, const std::string& text);

// What everybody may ask; without shared memory nothing is going on.

/// The run in progress; its state is kNone when there is none.
CurrentRun Current();

/// The backup in progress; nullopt when there is none, or a verification.
std::optional<BackupRequest> CurrentBackup();

struct LastFailure {
  std::string id;  // empty: the newest run succeeded, or there was none since the server started
  std::string error;
};
LastFailure NewestFailure();

/// Whether a run is going on or a request waits for the launcher.
bool RunsAreWanted();

}  // namespace mfi::pg
