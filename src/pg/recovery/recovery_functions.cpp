#include <algorithm>
#include <string>

#include "core/base/error.h"
#include "os/recovery/drill.h"
#include "pg/recovery/recovery_board.h"
#include "pg/recovery/recovery_facts.h"
#include "pg/recovery/recovery_settings.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/own_locks.h"
#include "pg/server/rows.h"
#include "pg/server/settings.h"

extern "C" {
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mfi_recovery);
PG_FUNCTION_INFO_V1(mfi_recovery_backups);
PG_FUNCTION_INFO_V1(mfi_recovery_drills);
PG_FUNCTION_INFO_V1(mfi_recovery_base_now);
PG_FUNCTION_INFO_V1(mfi_recovery_drill);
}

// What SQL shows of recovery, and what it asks for.
namespace mfi::pg {
namespace {

using core::RecoveryWork;

constexpr long kLookAgainMs = 1000;

Value MillisecondsOrNull(const std::optional<std::int64_t>& milliseconds) {
  return milliseconds ? Value{Interval{*milliseconds * 1000}} : Value{};
}

/// `full base: verifying`; empty: nothing is being made.
std::string Running() {
  const RecoveryRun run = RunOfRecovery();
  if (run.work == RecoveryWork::kNone) return {};
  const char* what = run.work == RecoveryWork::kDrill ? "drill" : "incremental base";
  if (run.work == RecoveryWork::kFull) what = "full base";
  return std::string(what) + ": " + (run.phase[0] == '\0' ? "starting" : run.phase);
}

/// What goes wrong now; the verdict has the rest.
std::string ErrorOf(const core::RecoveryFacts& facts) {
  if (facts.directory.empty()) return {};
  if (facts.store.silent) return "the file system of \"" + facts.directory + "\" does not answer";
  if (!facts.store.problem.empty()) return facts.store.problem;
  if (!facts.receiving.error.empty()) return facts.receiving.error;
  if (!facts.base_failure.empty()) return "the last base failed: " + facts.base_failure;
  const std::string drill = FailureOfRecovery(RecoveryWork::kDrill);
  return drill.empty() ? "" : "the last drill failed: " + drill;
}

std::string Result(const core::DrillRecord& drill) { return drill.error.empty() ? drill.result : drill.error; }

Datum Recovery(FunctionCallInfo fcinfo) {
  AnswerProbe probe(settings::recovery_directory);
  const core::RecoveryFacts facts = GatherRecoveryFacts(probe);
  const core::RecoveryReach reach = core::ReachOf(facts);
  const core::BaseRecord* base = core::NewestBase(facts.store.bases);
  const core::DrillRecord* drill = core::LastDrill(facts.store.drills, facts.now);
  std::optional<std::int64_t> lag;
  if (facts.receiving.receiving) lag = facts.receiving.lag_bytes;
  return ReturnRows(
      fcinfo, {{TimeOrNull(reach.oldest), TimeOrNull(reach.newest), TextOrNull(reach.gap), core::ReceiverState(facts),
                Or(lag), base == nullptr ? Value{} : TimeOrNull(base->finished_at),
                drill == nullptr ? Value{} : TimeOrNull(drill->finished_at),
                drill == nullptr ? Value{} : TextOrNull(Result(*drill)),
                drill == nullptr ? Value{} : MillisecondsOrNull(drill->rpo_ms),
                drill == nullptr ? Value{} : MillisecondsOrNull(drill->rto_ms), TextOrNull(Running()),
                TextOrNull(ErrorOf(facts))}});
}

ResultRow ToRow(const core::BaseRecord& b) {
  return {b.id,
          std::string(b.full ? "full" : "incremental"),
          TextOrNull(b.parent),
          TimeOrNull(b.started_at),
          TimeOrNull(b.finished_at),
          b.stored_bytes,
          b.data_bytes,
          LsnOrNull(b.start),
          LsnOrNull(b.end),
          std::int64_t{b.timeline},
          TimeOrNull(b.verified_at),
          TimeOrNull(b.drilled_at),
          TextOrNull(b.drill_result),
          TextOrNull(b.remark)};
}

ResultRow ToRow(const core::DrillRecord& d) {
  return {d.id,
          TextOrNull(d.base),
          TimeOrNull(d.started_at),
          TimeOrNull(d.finished_at),
          TextOrNull(d.reference),
          LsnOrNull(d.reference_lsn),
          std::int64_t{d.tables},
          TextOrNull(d.result),
          TextOrNull(d.error),
          MillisecondsOrNull(d.rpo_ms),
          MillisecondsOrNull(d.rto_ms),
          TimeOrNull(d.newest_time),
          LsnOrNull(d.newest_lsn)};
}

/// Newest first.
template <typename Record>
Datum Rows(FunctionCallInfo fcinfo, const std::vector<Record>& records) {
  std::vector<ResultRow> rows;
  for (auto record = records.rbegin(); record != records.rend(); ++record) rows.push_back(ToRow(*record));
  return ReturnRows(fcinfo, rows);
}

Datum Backups(FunctionCallInfo fcinfo) {
  const std::optional<os::RecoveryStore> store = AnsweringStore();
  return Rows(fcinfo, store ? store->Bases() : std::vector<core::BaseRecord>{});
}

Datum Drills(FunctionCallInfo fcinfo) {
  const std::optional<os::RecoveryStore> store = AnsweringStore();
  return Rows(fcinfo, store ? os::ReadDrills(*store) : std::vector<core::DrillRecord>{});
}

void RequireOn() {
  if (RecoveryIsOn()) return;
  throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState, "recovery is off: mfi.recovery_directory is not set",
                    {}, "ALTER SYSTEM SET mfi.recovery_directory = '/path/of/recovery'; SELECT pg_reload_conf().");
}

/// Plain frame: everything here may raise. Waits for what was asked for; `hint` tells where to look when it failed.
const char* Wait(RecoveryWork work, const char* what, const char* hint) {
  static RecoveryAnswer answer;
  const std::uint64_t ticket = Guard([&] {
    RequireOn();
    return AskForRecovery(work);
  });
  BeginAwaitingRecovery();
  while (!Guard([&] { return TakeRecoveryAnswer(ticket, answer); })) AwaitRecovery(kLookAgainMs);
  EndAwaitingRecovery();
  if (answer.failed) {
    ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION), errmsg("%s failed: %s", what, answer.text),
                    errhint("%s", hint)));
  }
  return answer.text;
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_recovery(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Recovery(fcinfo); });
}

extern "C" Datum mfi_recovery_backups(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Backups(fcinfo); });
}

extern "C" Datum mfi_recovery_drills(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Drills(fcinfo); });
}

extern "C" Datum mfi_recovery_base_now(PG_FUNCTION_ARGS) {
  using namespace mfi;
  pg::RequirePreloaded();
  PG_RETURN_TEXT_P(cstring_to_text(
      pg::Wait(PG_GETARG_BOOL(0) ? core::RecoveryWork::kFull : core::RecoveryWork::kIncremental, "the base",
               "Correct the cause, then call it again; SELECT * FROM mfi_recovery tells how receiving stands.")));
}

extern "C" Datum mfi_recovery_drill(PG_FUNCTION_ARGS) {
  using namespace mfi;
  pg::RequirePreloaded();
  pg::RefuseOwnLocks(pg::settings::database, "the drill", "Commit first.");
  (void)pg::Wait(core::RecoveryWork::kDrill, "the drill",
                 "SELECT * FROM mfi_recovery_drills has what was found, and the server's log more of it.");
  PG_RETURN_TEXT_P(cstring_to_text("ok"));
}
