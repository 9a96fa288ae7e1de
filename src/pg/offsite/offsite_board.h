#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/time.h"
#include "core/offsite/offsite_due.h"
#include "pg/server/shared_memory.h"

// What sessions, the copier and the worker of a drill from a copy tell each other, in shared memory. What must outlive
// a restart is in the state and the records of drills, beside the backups.
namespace mfi::pg {

/// What is being done now.
struct OffsiteNow {
  core::OffsiteWork work;  // of the copier
  char set[64];            // that is being copied
  core::UtcSeconds work_since;
  bool drilling;
  core::UtcSeconds drilling_since;
};

struct OffsiteDrillAnswer {
  char error[kReasonLength];  // empty: it was good
};

void InitOffsiteBoard();

// Of sessions.

OffsiteNow OffsiteRunning();

/// Seconds since the copier last came round; nullopt: it is not there.
std::optional<double> CopierSilentFor();

/// Asks for a drill from a copy; returns its ticket. Throws Error(55000) when no copier is there.
std::uint64_t AskForOffsiteDrill();

/// The answer, once it is there. Throws Error(55000) when it will not come.
bool TakeOffsiteDrill(std::uint64_t ticket, OffsiteDrillAnswer& answer);

/// Waits for a change, for C frames: begin, look, wait, look again ..., end.
void BeginAwaitingOffsite();
void AwaitOffsite(long limit_ms);
void EndAwaitingOffsite();

// Of the copier, and of the watcher.

void CopierBegins();
void CopierComesRound();
void CopierGoes();
void ShowOffsiteWork(core::OffsiteWork work, const std::string& set);
bool OffsiteDrillIsAsked();

// Of the drill's worker. All that was asked for before it begins is answered by it.

void OffsiteDrillBegins();
void OffsiteDrillEnded(const std::string& error);
void OffsiteDrillGoes();

}  // namespace mfi::pg
