#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/offsite/offsite_drill_record.h"
#include "core/offsite/offsite_health.h"
#include "os/backup/history.h"
#include "pg/server/answering.h"

namespace mfi::pg {

/// What core needs to judge copies elsewhere. `backups` and `store` were begun before with the directories in which
/// they lie.
core::OffsiteFacts GatherOffsiteFacts(AnswerProbe& backups, AnswerProbe& store);

/// The last time of mfi.offsite_drill_schedule; nullopt: it has none.
std::optional<core::UtcSeconds> LastDrillTime(core::UtcSeconds now);

/// Whether the last drill from a copy in the repository that is set was good.
bool CopyIsProven();

/// The drills from a copy, oldest first.
std::vector<core::OffsiteDrillRecord> OffsiteDrills();

}  // namespace mfi::pg
