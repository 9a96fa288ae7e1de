#pragma once

#include <optional>

#include "core/recovery/recovery_health.h"
#include "os/recovery/recovery_store.h"
#include "pg/server/answering.h"

namespace mfi::pg {

/// What core needs to judge recovery: of shared memory, and of the store when `probe`, which asks its directory,
/// answers in time for a verdict.
core::RecoveryFacts GatherRecoveryFacts(AnswerProbe& probe);

/// The store in force, for a session that wants something of it; nullopt: recovery is off, or there is no store yet.
/// Throws when its file system does not answer.
std::optional<os::RecoveryStore> AnsweringStore();

}  // namespace mfi::pg
