#include <string>
#include <vector>

#include "core/base/error.h"
#include "pg/backup/answering_directory.h"
#include "pg/offsite/offsite_board.h"
#include "pg/offsite/offsite_facts.h"
#include "pg/offsite/offsite_settings.h"
#include "pg/server/bridge.h"
#include "pg/server/rows.h"
#include "pg/server/settings.h"
#include "pg/server/shared_memory.h"

extern "C" {
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mfi_offsite);
PG_FUNCTION_INFO_V1(mfi_offsite_copies);
PG_FUNCTION_INFO_V1(mfi_offsite_drills);
PG_FUNCTION_INFO_V1(mfi_offsite_drill);
}

// What SQL shows of copies elsewhere, and what it asks for.
namespace mfi::pg {
namespace {

using core::OffsiteWork;

constexpr long kLookAgainMs = 1000;

std::string Running() {
  const OffsiteNow now = OffsiteRunning();
  std::string running;
  switch (now.work) {
    case OffsiteWork::kSet:
      running = "copying " + std::string(now.set);
      break;
    case OffsiteWork::kStore:
      running = "copying the recovery store";
      break;
    case OffsiteWork::kProbe:
      running = "trying whether copies can be deleted";
      break;
    case OffsiteWork::kForget:
      running = "letting old copies go";
      break;
    case OffsiteWork::kCheck:
      running = "reading a part of the repository";
      break;
    case OffsiteWork::kContact:
    case OffsiteWork::kNone:
      break;
  }
  if (now.drilling) running += std::string(running.empty() ? "" : "; ") + "a drill from a copy";
  return running;
}

Datum Offsite(FunctionCallInfo fcinfo) {
  AnswerProbe backups(OffsiteIsOn() ? settings::backup_directory : "");
  AnswerProbe store(OffsiteIsOn() ? settings::recovery_directory : "");
  const core::OffsiteFacts facts = GatherOffsiteFacts(backups, store);
  std::string newest;
  std::optional<core::UtcSeconds> newest_at;
  std::int64_t waiting = 0;
  for (const core::ProvenSet& set : facts.sets) {
    if (!set.copied) {
      ++waiting;
    } else if (!newest_at || set.finished > *newest_at) {
      newest = set.id;
      newest_at = set.finished;
    }
  }
  const core::OffsiteState& state = facts.state;
  return ReturnRows(fcinfo, {{TextOrNull(settings::offsite_repository), TextOrNull(newest), TimeOrNull(newest_at),
                              waiting, TimeOrNull(state.store_copied_at), TimeOrNull(state.answered_at),
                              state.deletable ? Value{*state.deletable} : Value{}, TimeOrNull(state.checked_at),
                              TimeOrNull(core::AllRead(state)), TimeOrNull(facts.drilled_at), TextOrNull(Running()),
                              TextOrNull(state.error)}});
}

Datum Copies(FunctionCallInfo fcinfo) {
  std::vector<ResultRow> rows;
  if (!OffsiteIsOn() || settings::backup_directory[0] == '\0') return ReturnRows(fcinfo, rows);
  const std::vector<os::StoredSet> sets = AnsweringDirectory().Sets();
  const core::OffsiteState state = os::ReadOffsiteState(ConfiguredOffsiteState());
  const std::optional<core::UtcSeconds> read = core::AllRead(state);
  for (auto set = sets.rbegin(); set != sets.rend(); ++set) {
    for (const core::SetCopy& copy : set->manifest.copies) {
      if (copy.forgotten) continue;
      const bool in_use = copy.repository == state.repository_id;
      rows.push_back({set->manifest.run.id, copy.repository, copy.snapshot, TimeOrNull(copy.at),
                      in_use && read && *read > copy.at ? TimeOrNull(read) : Value{}, TimeOrNull(copy.proven_at)});
    }
  }
  return ReturnRows(fcinfo, rows);
}

Datum Drills(FunctionCallInfo fcinfo) {
  std::vector<ResultRow> rows;
  if (settings::backup_directory[0] != '\0') (void)AnsweringDirectory();
  const std::vector<core::OffsiteDrillRecord> drills = OffsiteDrills();
  for (auto drill = drills.rbegin(); drill != drills.rend(); ++drill) {
    rows.push_back({drill->id, TextOrNull(drill->repository), TimeOrNull(drill->started_at),
                    TimeOrNull(drill->finished_at), TextOrNull(drill->set), TextOrNull(drill->snapshot),
                    TextOrNull(drill->store), TimeOrNull(drill->newest_time), TextOrNull(drill->compared_with),
                    drill->fetched_bytes, TextOrNull(drill->result), TextOrNull(drill->error)});
  }
  return ReturnRows(fcinfo, rows);
}

void RequireOn() {
  if (OffsiteIsOn()) return;
  throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                    "copies elsewhere are off: mfi.offsite_repository is not set", {},
                    "docs/offsite.md says what to set.");
}

/// Plain frame: everything here may raise.
void WaitForDrill() {
  static OffsiteDrillAnswer answer;
  const std::uint64_t ticket = Guard([] {
    RequireOn();
    return AskForOffsiteDrill();
  });
  BeginAwaitingOffsite();
  while (!Guard([&] { return TakeOffsiteDrill(ticket, answer); })) AwaitOffsite(kLookAgainMs);
  EndAwaitingOffsite();
  if (answer.error[0] == '\0') return;
  ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION), errmsg("the drill from a copy failed: %s", answer.error),
                  errhint("SELECT * FROM mfi_offsite_drills has what was found, and the server's log more of it.")));
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_offsite(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Offsite(fcinfo); });
}

extern "C" Datum mfi_offsite_copies(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Copies(fcinfo); });
}

extern "C" Datum mfi_offsite_drills(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Drills(fcinfo); });
}

extern "C" Datum mfi_offsite_drill(PG_FUNCTION_ARGS) {
  mfi::pg::RequirePreloaded();
  mfi::pg::WaitForDrill();
  PG_RETURN_TEXT_P(cstring_to_text("ok"));
}
