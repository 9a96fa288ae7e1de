#include "pg/offsite/offsite_board.h"

#include "core/base/error.h"
#include "core/base/printable.h"
#include "pg/server/clock.h"
#include "pg/server/shared_memory.h"

extern "C" {
#include "storage/condition_variable.h"
#include "utils/wait_event.h"
}

namespace mfi::pg {
namespace {

struct Changes {
  Changes() { ConditionVariableInit(&condition); }
  ConditionVariable condition;
};

struct Board {
  Changes changes;
  bool copier_there;
  std::int64_t round_at_us;  // of the copier
  OffsiteNow now;

  std::uint64_t asked;      // the last ticket
  std::uint64_t answering;  // the last one that the drill that goes on answers
  std::uint64_t answered;
  bool reported;
  char error[kReasonLength];  // of the last drill
};

constinit SharedPart<Board> board("mfi offsite board");

ConditionVariable* Changed() { return &board.Unlocked()->changes.condition; }

void End(Board& b, const char* error) {
  strlcpy(b.error, error, sizeof(b.error));
  b.answered = b.answering;
  b.reported = true;
}

}  // namespace

void InitOffsiteBoard() { board.Share(); }

OffsiteNow OffsiteRunning() { return board.IsThere() ? board.Read()->now : OffsiteNow{}; }

std::optional<double> CopierSilentFor() {
  if (!board.IsThere()) return std::nullopt;
  const auto b = board.Read();
  if (!b->copier_there) return std::nullopt;
  return static_cast<double>(MonotonicMicros() - b->round_at_us) / 1e6;
}

std::uint64_t AskForOffsiteDrill() {
  RequirePreloaded();
  const auto b = board.Write();
  if (b->copier_there) return ++b->asked;
  throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "the mfi copier is not running", {},
                    "It runs where mfi.offsite_repository is set, and starts by itself within seconds.");
}

bool TakeOffsiteDrill(std::uint64_t ticket, OffsiteDrillAnswer& answer) {
  const auto b = board.Read();
  if (b->answered < ticket) {
    if (b->copier_there || b->now.drilling) return false;
    throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "the drill was given up: the copier ended", {},
                      "The server's log tells why; then ask again.");
  }
  strlcpy(answer.error, b->error, sizeof(answer.error));
  return true;
}

void BeginAwaitingOffsite() { ConditionVariablePrepareToSleep(Changed()); }
void AwaitOffsite(long limit_ms) { ConditionVariableTimedSleep(Changed(), limit_ms, PG_WAIT_EXTENSION); }
void EndAwaitingOffsite() { ConditionVariableCancelSleep(); }

void CopierBegins() {
  const auto b = board.Write();
  b->copier_there = true;
  b->round_at_us = MonotonicMicros();
}

void CopierComesRound() { board.Write()->round_at_us = MonotonicMicros(); }

void CopierGoes() {
  {
    const auto b = board.Write();
    b->copier_there = false;
    b->now.work = core::OffsiteWork::kNone;
  }
  ConditionVariableBroadcast(Changed());
}

void ShowOffsiteWork(core::OffsiteWork work, const std::string& set) {
  const auto b = board.Write();
  b->now.work = work;
  b->now.work_since = UtcNow();
  strlcpy(b->now.set, set.c_str(), sizeof(b->now.set));
}

bool OffsiteDrillIsAsked() {
  const auto b = board.Read();
  return b->asked > b->answered && !b->now.drilling;
}

void OffsiteDrillBegins() {
  const auto b = board.Write();
  b->now.drilling = true;
  b->now.drilling_since = UtcNow();
  b->answering = b->asked;
  b->reported = false;
}

void OffsiteDrillEnded(const std::string& error) {
  const std::string words = core::Printable(error, kReasonLength - 1);
  End(*board.Write(), words.c_str());
}

void OffsiteDrillGoes() {
  {
    const auto b = board.Write();
    if (!b->reported) End(*b, "its process ended before it was done (see the server's log)");
    b->now.drilling = false;
  }
  ConditionVariableBroadcast(Changed());
}

}  // namespace mfi::pg
