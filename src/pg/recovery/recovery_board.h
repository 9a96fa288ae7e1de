#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/lsn.h"
#include "core/base/time.h"
#include "core/recovery/recovery_due.h"
#include "pg/server/shared_memory.h"

// What sessions, the receiver and its runner tell each other, in shared memory. Bases, WAL and drills are in the store.
namespace mfi::pg {

/// A base or a drill that is wanted; whoever asked finds the answer by the ticket. 0: nobody asked.
struct RecoveryRequest {
  core::RecoveryWork work;
  std::uint64_t ticket;
};

struct RecoveryAnswer {
  std::uint64_t ticket;
  bool failed;
  char text[kReasonLength];  // the id of what was made, or why not
};

/// How receiving goes on.
struct ReceivedWal {
  bool receiving;
  core::Lsn received;
  core::Lsn sent_end;
  core::UtcSeconds complete_at;  // all commits of before are received; 0: not known
  char error[kReasonLength];
  char gap[256];
};

/// The base or the drill that is being made.
struct RecoveryRun {
  core::RecoveryWork work;  // kNone: none
  bool began;               // its process has taken it
  std::uint64_t ticket;
  char phase[16];
  std::int64_t amount;  // bytes of a base, a position in WAL of a drill
  core::UtcSeconds started_at;
};

void InitRecoveryBoard();

// Of sessions.

/// Puts the wish on the board and wakes the receiver; returns its ticket. Throws Error(53400) when too many wait, and
/// Error(55000) when no receiver is there.
std::uint64_t AskForRecovery(core::RecoveryWork work);

/// The answer, once it is there. Throws Error(55000) when it will not come.
bool TakeRecoveryAnswer(std::uint64_t ticket, RecoveryAnswer& answer);

/// Waits for a change, for C frames: begin, look, wait, look again ..., end.
void BeginAwaitingRecovery();
void AwaitRecovery(long limit_ms);
void EndAwaitingRecovery();

ReceivedWal WalReceived();
RecoveryRun RunOfRecovery();

/// Why the last base or drill failed, after the last success of its kind; empty: it did not.
std::string FailureOfRecovery(core::RecoveryWork work);

/// Seconds since the receiver last came round; nullopt: it is not there.
std::optional<double> ReceiverSilentFor();

/// Seconds since WAL was last received, or came further while the server had more; 0: it goes on, or is not wanted.
double ReceivingStandsFor();

// Of the watcher.

void WantReceiver(bool wanted);

// Of the receiver.

void ReceiverBegins();
void ReceiverComesRound();
void ReceiverGoes();
void ShowReceived(const ReceivedWal& received);
std::optional<RecoveryRequest> OldestRecoveryRequest();  // takes it off the board
void HandOverRecovery(const RecoveryRequest& request);

/// Takes the run back when no process has taken it; false when one has.
bool TakeBackRecovery();

/// How the last run ended, that has gone from the board: empty: it succeeded.
std::string LastRecoveryFailure();

/// Whether a drill has paused replay and is not there any more to let it go on.
bool ReplayIsLeftPaused();
void ReplayGoesOn();

/// What nobody will do any more.
void AnswerRecovery(std::uint64_t ticket, bool failed, const std::string& text);

// Of the runner.

bool ClaimRecovery(RecoveryRequest& request);
void ShowRecoveryProgress(const std::string& phase, std::int64_t amount);
void ShowReplayPaused(bool paused);

/// Tells how it ended, and answers whoever asked for it.
void ReportRecovery(bool failed, const std::string& text);
void RecoveryRunnerLeaves();

}  // namespace mfi::pg
