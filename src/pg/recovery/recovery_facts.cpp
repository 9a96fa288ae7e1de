#include "pg/recovery/recovery_facts.h"

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/own_receiver.h"
#include "core/recovery/recovery_times.h"
#include "os/base/file.h"
#include "os/recovery/drill.h"
#include "os/recovery/wal_end.h"
#include "pg/recovery/recovery_board.h"
#include "pg/recovery/recovery_settings.h"
#include "pg/replication/replication_facts.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"
#include "pg/server/pg_zone_rule.h"
#include "pg/server/settings.h"

extern "C" {
#include "miscadmin.h"
}

namespace mfi::pg {
namespace {

core::ReceivingFacts Receiving() {
  const ReceivedWal received = WalReceived();
  core::ReceivingFacts facts;
  facts.silent_s = ReceiverSilentFor();
  facts.there = facts.silent_s.has_value();
  facts.receiving = received.receiving;
  facts.stands_s = ReceivingStandsFor();
  facts.error = received.error;
  if (received.receiving && received.sent_end > received.received) {
    facts.lag_bytes = static_cast<std::int64_t>(received.sent_end - received.received);
  }
  if (received.complete_at != 0) facts.complete_at = received.complete_at;
  const core::ReplicationFacts replication = GatherReplicationFacts();
  facts.wal_bytes_per_s = replication.wal_bytes_per_s_trend;
  for (const core::SlotFacts& slot : replication.slots) {
    if (slot.name != core::kRecoverySlot) continue;
    facts.slot_status = slot.wal_status;
    facts.slot_retained_bytes = slot.retained_bytes;
    facts.slot_safe_bytes = slot.safe_bytes;
  }
  return facts;
}

void AddDue(core::RecoveryFacts& facts) {
  const pg_tz* tz = CallPg([] { return pg_tzset(settings::ScheduleTimezone()); });
  if (tz == nullptr) return;
  const PgZoneRule zone(tz);
  const core::RecoveryTimes times(settings::recovery_full_schedule, settings::recovery_incremental_schedule, zone);
  facts.base_due = times.BaseDue(facts.now);
  facts.drill_due = times.DrillDue(facts.now);
}

void ReadStore(const os::RecoveryStore& store, core::StoreFacts& facts) {
  facts.free_bytes = os::FreeSpace(settings::recovery_directory);
  const std::optional<core::StoreIdentity> identity = store.Identity();
  // One of another cluster is put aside by the receiver.
  if (!identity || identity->system_identifier != SystemIdentifier()) return;
  facts.created_at = identity->created_at;
  facts.segment_bytes = identity->segment_bytes;
  facts.bases = store.Bases();
  std::erase_if(facts.bases, [&](const auto& base) { return base.system_identifier != identity->system_identifier; });
  facts.drills = os::ReadDrills(store);
  const std::vector<core::WalFile> files = store.Wal(facts.segment_bytes);
  if (files.empty()) return;
  facts.line = core::LineOf(files, os::NewestHistory(store, facts.segment_bytes), facts.segment_bytes);
}

core::StoreFacts Store(AnswerProbe& probe) {
  core::StoreFacts facts;
  facts.silent = !probe.AnswersWithin(kVerdictWaits);
  if (facts.silent) return facts;
  try {
    const os::RecoveryStore store = ConfiguredStore();
    store.CheckUsable(DataDir);
    facts.same_device = os::OnSameDevice(settings::recovery_directory, DataDir);
    ReadStore(store, facts);
  } catch (const PgError&) {
    throw;
  } catch (const core::Error& error) {
    facts.problem = error.what();
    facts.remedy = error.hint();
  }
  return facts;
}

}  // namespace

core::RecoveryFacts GatherRecoveryFacts(AnswerProbe& probe) {
  core::RecoveryFacts facts;
  facts.now = UtcNow();
  facts.preloaded = IsPreloaded();
  facts.directory = settings::recovery_directory;
  facts.window_s = settings::recovery_window_s;
  facts.target_s = settings::recovery_target_time_s;
  facts.receiving = Receiving();
  if (facts.directory.empty()) return facts;
  const core::RecoveryWork work = RunOfRecovery().work;
  facts.base_runs = work == core::RecoveryWork::kFull || work == core::RecoveryWork::kIncremental;
  facts.base_failure = FailureOfRecovery(core::RecoveryWork::kFull);
  AddDue(facts);
  facts.store = Store(probe);
  return facts;
}

std::optional<os::RecoveryStore> AnsweringStore() {
  if (!RecoveryIsOn()) return std::nullopt;
  if (!DirectoryAnswers(settings::recovery_directory, kOthersWait)) {
    throw core::Error("58030",
                      std::string("the recovery directory \"") + settings::recovery_directory + "\" does not answer",
                      "Its file system did not list it and give one byte of a file in time. Nothing was changed.",
                      "Look at the mount (a network share whose server is gone?), then call it again.");
  }
  os::RecoveryStore store = ConfiguredStore();
  if (!store.Identity()) return std::nullopt;
  return store;
}

}  // namespace mfi::pg
