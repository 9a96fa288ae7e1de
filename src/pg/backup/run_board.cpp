#include "pg/backup/run_board.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "pg/server/worker_presence.h"

extern "C" {
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "utils/wait_event.h"
}

namespace mfi::pg {
namespace {

struct Changes {
  Changes() { ConditionVariableInit(&condition); }
  ConditionVariable condition;
};

struct Board {
  Changes changes;  // broadcast when a request is taken over, a run begins or ends

  int request_count;
  Request requests[kMaxRequests];
  int waiting_count;  // of requests that the launcher has taken and not begun
  int cancel_count;
  char cancel_ids[kMaxRequests][kIdLength];  // for the launcher

  CurrentRun current;
  Latch* runner_latch;
  bool cancel_requested;

  std::uint64_t last_ticket;
  VerifyAnswer answers[kMaxRequests];  // of a ticket at its remainder
  std::int64_t last_id_at;             // seconds UTC of the newest id given out

  char last_failed_id[kIdLength];    // the newest run that failed; empty after a success
  char last_failure[kReasonLength];  // why; it also tells when no record could be written
};

constinit SharedPart<Board> board("mfi run board");

/// Waits on the board's condition need no lock of ours.
ConditionVariable* Changed() { return &board.Unlocked()->changes.condition; }

void CheckRoom(const Board& b) {
  if (b.request_count + b.waiting_count < kMaxWaiting) return;
  throw core::Error(core::sqlstate::kConfigurationLimit,
                    std::to_string(kMaxWaiting) + " backups or verifications are waiting already", {},
                    "Wait for them, or cancel one: SELECT id FROM mfi_backups WHERE state = 'queued'.");
}

bool IsOnBoard(const Board& b, const char* id) {
  return std::any_of(b.requests, b.requests + b.request_count,
                     [&](const Request& request) { return strcmp(IdOf(request), id) == 0; });
}

VerifyRequest MakeVerification(Board& b, const std::string& id) {
  VerifyRequest request{.ticket = ++b.last_ticket};
  strlcpy(request.id, id.c_str(), sizeof(request.id));
  return request;
}

std::uint64_t TicketOf(const Request& request) {
  const auto* verification = std::get_if<VerifyRequest>(&request);
  return verification == nullptr ? 0 : verification->ticket;
}

void EndCurrent(Board& b) {
  b.current = {};
  b.runner_latch = nullptr;
  b.cancel_requested = false;
}

}  // namespace

void InitRunBoard() { board.Share(); }

const char* IdOf(const Request& request) {
  return std::visit([](const auto& kind) -> const char* { return kind.id; }, request);
}

void CheckBoardHasRoom() { CheckRoom(*board.Read()); }

void Submit(const BackupRequest& request) {
  {
    const auto b = board.Write();
    CheckRoom(*b);
    b->requests[b->request_count++] = request;
  }
  WakeLauncher();
}

std::uint64_t SubmitVerification(const std::string& id) {
  std::uint64_t ticket = 0;
  {
    const auto b = board.Write();
    CheckRoom(*b);
    const VerifyRequest request = MakeVerification(*b, id);
    ticket = request.ticket;
    b->requests[b->request_count++] = request;
  }
  WakeLauncher();
  return ticket;
}

bool IsSubmitted(const std::string& id) { return IsOnBoard(*board.Read(), id.c_str()); }

Standing FindRun(const char* id, char* failure, std::size_t size) {
  const auto b = board.Read();
  if (IsOnBoard(*b, id)) return Standing::kGoingOn;
  if (strcmp(b->last_failed_id, id) == 0) {
    strlcpy(failure, b->last_failure, size);
    return Standing::kFailed;
  }
  const bool going_on = b->current.state != RunnerState::kNone && strcmp(IdOf(b->current.request), id) == 0;
  return going_on ? Standing::kGoingOn : Standing::kUnknown;
}

void RequestCancel(const std::string& id) {
  bool full = false;
  {
    const auto b = board.Write();
    if (id == IdOf(b->current.request) && b->runner_latch != nullptr) {
      b->cancel_requested = true;
      SetLatch(b->runner_latch);
    } else {
      full = b->cancel_count == kMaxRequests;
      if (!full) strlcpy(b->cancel_ids[b->cancel_count++], id.c_str(), kIdLength);
    }
  }
  if (full) {
    throw core::Error(core::sqlstate::kInsufficientResources, "too many backups are being cancelled", {},
                      "Call it again in a moment.");
  }
  WakeLauncher();
}

bool TakeAnswer(std::uint64_t ticket, VerifyAnswer& answer) {
  if (!LauncherAlive()) {
    throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "the launcher ended before the set was verified",
                      {}, "Call it again in a few seconds.");
  }
  answer = board.Read()->answers[ticket % kMaxRequests];
  if (answer.ticket > ticket) {
    throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "the answer has been overwritten by later ones",
                      {}, "SELECT id, verify_result, verified_at FROM mfi_backups shows it.");
  }
  return answer.ticket == ticket;
}

core::UtcSeconds TakeSecond(core::UtcSeconds now) {
  const auto b = board.Write();
  core::UtcSeconds second = Max(now, b->last_id_at + 1);
  // After the clock was set back far, ids follow it again.
  if (second > now + core::kHour) second = now;
  b->last_id_at = second;
  return second;
}

void BeginAwaitingChanges() { ConditionVariablePrepareToSleep(Changed()); }

void AwaitChange(long limit_ms) { ConditionVariableTimedSleep(Changed(), limit_ms, PG_WAIT_EXTENSION); }

void EndAwaitingChanges() { ConditionVariableCancelSleep(); }

VerifyRequest NewVerification(const std::string& id) { return MakeVerification(*board.Write(), id); }

std::vector<std::uint64_t> TicketsWithoutRequest() {
  std::vector<std::uint64_t> known;
  std::uint64_t last = 0;
  {
    const auto b = board.Read();
    last = b->last_ticket;
    for (int i = 0; i < b->request_count; ++i) known.push_back(TicketOf(b->requests[i]));
    if (b->current.state != RunnerState::kNone) known.push_back(TicketOf(b->current.request));
  }
  std::vector<std::uint64_t> without;
  for (std::uint64_t ticket = last > kMaxRequests ? last - kMaxRequests + 1 : 1; ticket <= last; ++ticket) {
    if (std::find(known.begin(), known.end(), ticket) == known.end()) without.push_back(ticket);
  }
  return without;
}

std::optional<Request> OldestRequest() {
  const auto b = board.Read();
  if (b->request_count == 0) return std::nullopt;
  return b->requests[0];
}

void TakenOver(int waiting) {
  {
    const auto b = board.Write();
    std::copy(b->requests + 1, b->requests + b->request_count, b->requests);
    --b->request_count;
    b->waiting_count = waiting;
  }
  AnnounceChange();
}

void ShowWaiting(int waiting) { board.Write()->waiting_count = waiting; }

std::vector<std::string> TakeCancels() {
  const auto b = board.Write();
  std::vector<std::string> ids(b->cancel_ids, b->cancel_ids + b->cancel_count);
  b->cancel_count = 0;
  return ids;
}

void CancelCurrent(const std::string& id) {
  const auto b = board.Write();
  if (b->current.state == RunnerState::kNone || id != IdOf(b->current.request)) return;
  b->cancel_requested = true;
  if (b->runner_latch != nullptr) SetLatch(b->runner_latch);
}

void AnnounceChange() { ConditionVariableBroadcast(Changed()); }

void HandOver(const Request& request) {
  const auto b = board.Write();
  EndCurrent(*b);
  b->current.state = RunnerState::kStarting;
  b->current.request = request;
  strlcpy(b->current.phase, "queued", sizeof(b->current.phase));
}

bool TakeBack() {
  const auto b = board.Write();
  if (b->current.state != RunnerState::kStarting) return false;
  EndCurrent(*b);
  return true;
}

void LauncherLeavesBoard() {
  {
    const auto b = board.Write();
    b->waiting_count = 0;
    if (b->current.state == RunnerState::kStarting) EndCurrent(*b);
  }
  AnnounceChange();
}

bool Claim(Request& request) {
  const auto b = board.Write();
  if (b->current.state != RunnerState::kStarting) return false;
  b->current.state = RunnerState::kRunning;
  b->current.started_at = GetCurrentTimestamp();
  b->runner_latch = MyLatch;
  request = b->current.request;
  return true;
}

bool CancelRequested() { return board.Read()->cancel_requested; }

void ShowProgress(const std::string& phase, std::int64_t bytes) {
  bool changed = false;
  {
    const auto b = board.Write();
    changed = phase != b->current.phase;
    strlcpy(b->current.phase, phase.c_str(), sizeof(b->current.phase));
    b->current.bytes = bytes;
  }
  if (changed) AnnounceChange();
}

void ShowDumpsStandby(bool dumps) { board.Write()->current.dumps_standby = dumps; }

void RunnerLeavesBoard() {
  EndCurrent(*board.Write());
  AnnounceChange();
  WakeLauncher();
}

void ReportFailure(const std::string& id, const std::string& error) {
  const std::string words = core::Printable(error, kReasonLength - 1);
  const auto b = board.Write();
  strlcpy(b->last_failed_id, id.c_str(), sizeof(b->last_failed_id));
  strlcpy(b->last_failure, words.c_str(), sizeof(b->last_failure));
}

void ReportSuccess() {
  const auto b = board.Write();
  b->last_failed_id[0] = '\0';
  b->last_failure[0] = '\0';
}

void Answer(std::uint64_t ticket, const std::string& text, bool failed) {
  const std::string words = core::Printable(text, kReasonLength - 1);
  {
    const auto b = board.Write();
    VerifyAnswer& answer = b->answers[ticket % kMaxRequests];
    answer.ticket = ticket;
    answer.failed = failed;
    strlcpy(answer.text, words.c_str(), sizeof(answer.text));
  }
  AnnounceChange();
}

void AnswerUnlessAnswered(std::uint64_t ticket, const std::string& text) {
  if (board.Read()->answers[ticket % kMaxRequests].ticket < ticket) Answer(ticket, text, true);
}

CurrentRun Current() { return board.IsThere() ? board.Read()->current : CurrentRun{}; }

std::optional<BackupRequest> CurrentBackup() {
  const CurrentRun current = Current();
  const auto* request = std::get_if<BackupRequest>(&current.request);
  if (current.state == RunnerState::kNone || request == nullptr) return std::nullopt;
  return *request;
}

LastFailure NewestFailure() {
  if (!board.IsThere()) return {};
  const auto b = board.Read();
  return {b->last_failed_id, b->last_failure};
}

bool RunsAreWanted() {
  if (!board.IsThere()) return false;
  const auto b = board.Read();
  return b->current.state != RunnerState::kNone || b->request_count > 0;
}

}  // namespace mfi::pg
