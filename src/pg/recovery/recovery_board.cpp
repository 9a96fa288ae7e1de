#include "pg/recovery/recovery_board.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "pg/server/clock.h"

extern "C" {
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "utils/wait_event.h"
}

namespace mfi::pg {
namespace {

using core::RecoveryWork;

constexpr int kMaxWaiting = 8;
constexpr char kEndedEarly[] = "its process ended before it was done (see the server's log)";

struct Changes {
  Changes() { ConditionVariableInit(&condition); }
  ConditionVariable condition;
};

struct Board {
  Changes changes;
  bool receiver_there;
  std::int64_t round_at_us;  // of the receiver
  Latch* receiver;
  ReceivedWal received;
  std::int64_t stands_since_us;  // receiving; 0: it goes on, or is not wanted

  int waiting;
  RecoveryRequest requests[kMaxWaiting];
  std::uint64_t last_ticket;
  RecoveryAnswer answers[kMaxWaiting];  // of a ticket at its remainder

  RecoveryRun run;
  bool reported;  // how it ended
  bool paused;    // replay, by the run
  char last_failure[kReasonLength];
  char base_failure[kReasonLength];
  char drill_failure[kReasonLength];
};

constinit SharedPart<Board> board("mfi recovery board");

ConditionVariable* Changed() { return &board.Unlocked()->changes.condition; }

void Announce() { ConditionVariableBroadcast(Changed()); }

void Answer(Board& b, std::uint64_t ticket, bool failed, const char* text) {
  if (ticket == 0) return;
  RecoveryAnswer& answer = b.answers[ticket % kMaxWaiting];
  answer.ticket = ticket;
  answer.failed = failed;
  strlcpy(answer.text, text, sizeof(answer.text));
}

bool IsWaitedFor(const Board& b, std::uint64_t ticket) {
  for (int i = 0; i < b.waiting; ++i) {
    if (b.requests[i].ticket == ticket) return true;
  }
  return b.run.work != RecoveryWork::kNone && b.run.ticket == ticket;
}

void Stand(Board& b) {
  if (b.stands_since_us == 0) b.stands_since_us = MonotonicMicros();
}

void End(Board& b, bool failed, const char* text) {
  strlcpy(b.last_failure, failed ? text : "", sizeof(b.last_failure));
  char* of_kind = b.run.work == RecoveryWork::kDrill ? b.drill_failure : b.base_failure;
  strlcpy(of_kind, b.last_failure, kReasonLength);
  Answer(b, b.run.ticket, failed, text);
}

}  // namespace

void InitRecoveryBoard() { board.Share(); }

std::uint64_t AskForRecovery(RecoveryWork work) {
  RequirePreloaded();
  Latch* receiver = nullptr;
  std::uint64_t ticket = 0;
  {
    const auto b = board.Write();
    if (!b->receiver_there) {
      throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "the mfi receiver is not running", {},
                        "It runs where mfi.recovery_directory is set, and starts by itself within seconds.");
    }
    if (b->waiting == kMaxWaiting) {
      throw core::Error(core::sqlstate::kConfigurationLimit,
                        std::to_string(kMaxWaiting) + " bases or drills are waiting already", {}, "Wait for them.");
    }
    ticket = ++b->last_ticket;
    b->requests[b->waiting++] = {work, ticket};
    receiver = b->receiver;
  }
  if (receiver != nullptr) SetLatch(receiver);
  return ticket;
}

bool TakeRecoveryAnswer(std::uint64_t ticket, RecoveryAnswer& answer) {
  const auto b = board.Read();
  answer = b->answers[ticket % kMaxWaiting];
  if (answer.ticket == ticket) return true;
  if (IsWaitedFor(*b, ticket)) return false;
  throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "what was asked for was given up", {},
                    "The server's log tells why; then ask again.");
}

void BeginAwaitingRecovery() { ConditionVariablePrepareToSleep(Changed()); }
void AwaitRecovery(long limit_ms) { ConditionVariableTimedSleep(Changed(), limit_ms, PG_WAIT_EXTENSION); }
void EndAwaitingRecovery() { ConditionVariableCancelSleep(); }

ReceivedWal WalReceived() { return board.IsThere() ? board.Read()->received : ReceivedWal{}; }

RecoveryRun RunOfRecovery() { return board.IsThere() ? board.Read()->run : RecoveryRun{}; }

std::string FailureOfRecovery(RecoveryWork work) {
  if (!board.IsThere()) return {};
  const auto b = board.Read();
  return work == RecoveryWork::kDrill ? b->drill_failure : b->base_failure;
}

std::optional<double> ReceiverSilentFor() {
  if (!board.IsThere()) return std::nullopt;
  const auto b = board.Read();
  if (!b->receiver_there) return std::nullopt;
  return static_cast<double>(MonotonicMicros() - b->round_at_us) / 1e6;
}

double ReceivingStandsFor() {
  if (!board.IsThere()) return 0;
  const auto b = board.Read();
  return b->stands_since_us == 0 ? 0 : static_cast<double>(MonotonicMicros() - b->stands_since_us) / 1e6;
}

void WantReceiver(bool wanted) {
  const auto b = board.Write();
  if (wanted) {
    if (!b->receiver_there) Stand(*b);
    return;
  }
  b->stands_since_us = 0;
  b->received = {};
}

void ReceiverBegins() {
  const auto b = board.Write();
  b->receiver_there = true;
  b->receiver = MyLatch;
  b->round_at_us = MonotonicMicros();
}

void ReceiverComesRound() { board.Write()->round_at_us = MonotonicMicros(); }

void ReceiverGoes() {
  {
    const auto b = board.Write();
    b->receiver_there = false;
    b->receiver = nullptr;
    // What is in the store stays there.
    b->received = {.complete_at = b->received.complete_at};
    Stand(*b);
    for (int i = 0; i < b->waiting; ++i) Answer(*b, b->requests[i].ticket, true, "the receiver ended");
    b->waiting = 0;
  }
  Announce();
}

void ShowReceived(const ReceivedWal& received) {
  const auto b = board.Write();
  const bool further = received.received > b->received.received || received.received >= received.sent_end;
  if (received.receiving && (further || !b->received.receiving)) {
    b->stands_since_us = 0;
  } else {
    Stand(*b);
  }
  const core::UtcSeconds complete_at = received.complete_at != 0 ? received.complete_at : b->received.complete_at;
  b->received = received;
  b->received.complete_at = complete_at;
}

std::optional<RecoveryRequest> OldestRecoveryRequest() {
  const auto b = board.Write();
  if (b->waiting == 0) return std::nullopt;
  const RecoveryRequest oldest = b->requests[0];
  --b->waiting;
  for (int i = 0; i < b->waiting; ++i) b->requests[i] = b->requests[i + 1];
  // Until its run is there, nobody may think that it was given up.
  b->run = {.work = oldest.work, .began = false, .ticket = oldest.ticket};
  return oldest;
}

void HandOverRecovery(const RecoveryRequest& request) {
  const auto b = board.Write();
  b->run = {.work = request.work, .began = false, .ticket = request.ticket, .started_at = UtcNow()};
  b->reported = false;
}

bool TakeBackRecovery() {
  {
    const auto b = board.Write();
    if (b->run.work == RecoveryWork::kNone || b->run.began) return false;
    End(*b, true, "no background worker was free for it (raise max_worker_processes and restart)");
    b->run = {};
  }
  Announce();
  return true;
}

std::string LastRecoveryFailure() { return board.Read()->last_failure; }

bool ReplayIsLeftPaused() {
  const auto b = board.Read();
  return b->paused && b->run.work == RecoveryWork::kNone;
}

void ReplayGoesOn() { board.Write()->paused = false; }

void AnswerRecovery(std::uint64_t ticket, bool failed, const std::string& text) {
  Answer(*board.Write(), ticket, failed, core::Printable(text, kReasonLength - 1).c_str());
  Announce();
}

bool ClaimRecovery(RecoveryRequest& request) {
  const auto b = board.Write();
  if (b->run.work == RecoveryWork::kNone || b->run.began) return false;
  b->run.began = true;
  b->run.started_at = UtcNow();
  request = {b->run.work, b->run.ticket};
  return true;
}

void ShowRecoveryProgress(const std::string& phase, std::int64_t amount) {
  const auto b = board.Write();
  strlcpy(b->run.phase, phase.c_str(), sizeof(b->run.phase));
  b->run.amount = amount;
}

void ShowReplayPaused(bool paused) { board.Write()->paused = paused; }

void ReportRecovery(bool failed, const std::string& text) {
  const std::string words = core::Printable(text, kReasonLength - 1);
  const auto b = board.Write();
  b->reported = true;
  End(*b, failed, words.c_str());
}

void RecoveryRunnerLeaves() {
  {
    const auto b = board.Write();
    if (!b->reported) End(*b, true, kEndedEarly);
    b->run = {};
  }
  Announce();
}

}  // namespace mfi::pg
