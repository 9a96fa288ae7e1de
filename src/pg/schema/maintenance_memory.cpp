#include "pg/schema/maintenance_memory.h"

#include "core/base/printable.h"
#include "pg/server/shared_memory.h"

namespace mfi::pg {
namespace {

struct MaintenanceState {
  core::MaintenanceEnd end;     // of the last maintainer
  bool lock_met;                // the last maintainer met a lock
  bool answered;                // it came to an end by itself, or told why not
  char failure[kReasonLength];  // empty: none
  DefaultPartitions outside;

  void Fail(const char* why) { strlcpy(failure, why, sizeof(failure)); }
};

constinit SharedPart<MaintenanceState> memory("mfi maintenance");

}  // namespace

void InitMaintenanceMemory() { memory.Share(); }

void ExpectMaintainer() {
  const auto m = memory.Write();
  m->end = core::MaintenanceEnd::kHindered;
  m->answered = false;
}

void ReportMaintenance(core::MaintenanceEnd end, bool lock_met, const std::string& failure) {
  const std::string words = core::Printable(failure, kReasonLength - 1);
  const auto m = memory.Write();
  const bool first_lock = lock_met && !m->lock_met;
  m->end = end;
  m->answered = true;
  m->lock_met = lock_met;
  if (!first_lock) m->Fail(words.c_str());
}

core::MaintenanceEnd MaintainerEnded() {
  const auto m = memory.Write();
  if (!m->answered) m->Fail("its process ended before it had done its work (the server's log says why)");
  return m->end;
}

void ReportDefaultPartitions(const DefaultPartitions& partitions) { memory.Write()->outside = partitions; }

DefaultPartitions LastDefaultPartitions() { return memory.Read()->outside; }

void ShowMaintenanceFailure(const char* why) { memory.Write()->Fail(why); }

std::string MaintenanceFailure() { return memory.IsThere() ? memory.Read()->failure : ""; }

}  // namespace mfi::pg
