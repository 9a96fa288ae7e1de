#include "pg/offsite/offsite_facts.h"

#include <optional>

#include "core/schedule/cron.h"
#include "core/schedule/schedule.h"
#include "os/backup/expire.h"
#include "os/offsite/offsite_drill.h"
#include "os/offsite/offsite_run.h"
#include "pg/offsite/offsite_board.h"
#include "pg/offsite/offsite_settings.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"
#include "pg/server/pg_zone_rule.h"
#include "pg/server/settings.h"
#include "pg/server/shared_memory.h"

extern "C" {
#include "access/xlog.h"
}

namespace mfi::pg {
namespace {

/// The last time of the schedule at or before `at`.
std::optional<core::UtcSeconds> ScheduledBefore(core::UtcSeconds at) {
  if (settings::offsite_drill_schedule[0] == '\0') return std::nullopt;
  const pg_tz* tz = CallPg([] { return pg_tzset(settings::ScheduleTimezone()); });
  if (tz == nullptr) return std::nullopt;
  const PgZoneRule zone(tz);
  const core::Schedule schedule(core::Cron::Parse(settings::offsite_drill_schedule), zone);
  const std::optional<core::Slot> slot = schedule.LastAtOrBefore(at);
  return slot ? std::optional(slot->run_at) : std::nullopt;
}

void AddDrills(core::OffsiteFacts& facts) {
  // One may be missed.
  if (const auto last = LastDrillTime(facts.now)) facts.drill_due = ScheduledBefore(*last - 1);
  for (const core::OffsiteDrillRecord& drill : OffsiteDrills()) {
    if (drill.repository != facts.state.repository || drill.started_at > facts.now) continue;
    const bool good = drill.error.empty() && drill.result == "ok";
    facts.drill_error = good ? "" : drill.error.empty() ? drill.result : drill.error;
    if (good) facts.drilled_at = drill.finished_at;
  }
}

}  // namespace

std::optional<core::UtcSeconds> LastDrillTime(core::UtcSeconds now) { return ScheduledBefore(now); }

std::vector<core::OffsiteDrillRecord> OffsiteDrills() {
  const std::string directory = ConfiguredOffsiteDrills();
  return directory.empty() ? std::vector<core::OffsiteDrillRecord>{} : os::ReadOffsiteDrills(directory);
}

bool CopyIsProven() {
  if (!OffsiteIsOn()) return false;
  bool proven = false;
  for (const core::OffsiteDrillRecord& drill : OffsiteDrills()) {
    if (drill.repository == settings::offsite_repository) proven = drill.error.empty() && drill.result == "ok";
  }
  return proven;
}

core::OffsiteFacts GatherOffsiteFacts(AnswerProbe& backups, AnswerProbe& store) {
  core::OffsiteFacts facts;
  facts.now = UtcNow();
  facts.preloaded = IsPreloaded();
  facts.on = OffsiteIsOn();
  if (!facts.on) return facts;
  facts.is_primary = !CallPg([] { return RecoveryInProgress(); });
  facts.has_store = settings::recovery_directory[0] != '\0';
  facts.interval_s = settings::offsite_interval_s;
  facts.max_age_s = settings::backup_max_age_s;
  facts.copier_silent_s = CopierSilentFor();
  facts.directory_silent = !backups.AnswersWithin(kVerdictWaits) || !store.AnswersWithin(kVerdictWaits);
  if (facts.directory_silent) return facts;
  facts.state = os::ReadOffsiteState(ConfiguredOffsiteState());
  if (facts.state.repository != settings::offsite_repository) facts.state = {};
  if (facts.is_primary) {
    facts.sets = os::ProvenSets(MakeOffsiteSource(), MakeOffsiteJob(), facts.state.repository_id);
    facts.has_room = os::HasRoomForUncopied(ConfiguredDirectory(), ConfiguredDirectory().Sets());
    AddDrills(facts);
  }
  return facts;
}

}  // namespace mfi::pg
