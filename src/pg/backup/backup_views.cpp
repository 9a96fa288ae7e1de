#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "core/schedule/cron.h"
#include "core/schedule/schedule.h"
#include "os/backup/expire.h"
#include "pg/backup/answering_directory.h"
#include "pg/backup/backup_facts.h"
#include "pg/backup/run_board.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"
#include "pg/server/pg_zone_rule.h"
#include "pg/server/rows.h"
#include "pg/server/settings.h"

extern "C" {
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mfi_backups);
PG_FUNCTION_INFO_V1(mfi_backup_progress);
PG_FUNCTION_INFO_V1(mfi_backup_next_runs);
PG_FUNCTION_INFO_V1(mfi_backup_retention_preview);
PG_FUNCTION_INFO_V1(mfi_backup_tables);
}

// The functions that read about backups: what was, is and will be.
namespace mfi::pg {
namespace {

constexpr int kMaxRuns = 10000;
constexpr char kVerification[] = "verify";  // the trigger of what is no backup

ResultRow ToRow(const os::HistoryEntry& entry, bool suspicious) {
  const core::RunRecord& r = entry.run;
  return {r.id,
          core::ToString(r.state),
          r.trigger,
          r.database,
          TextOrNull(r.note),
          TimeOrNull(r.queued_at),
          TimeOrNull(r.started_at),
          TimeOrNull(r.finished_at),
          TextOrNull(r.source_node),
          TextOrNull(r.source_role),
          Or(r.source_lag_bytes),
          TextOrNull(r.snapshot_lsn),
          r.timeline == 0 ? Value{} : Value{std::int64_t{r.timeline}},
          Or(r.size_bytes),
          entry.has_set ? TextOrNull(std::string(settings::backup_directory) + "/" + r.path) : Value{},
          TextOrNull(core::ToString(r.verify_method)),
          TextOrNull(r.verify_result),
          TimeOrNull(r.verified_at),
          entry.held,
          suspicious,
          TextOrNull(r.system_identifier),
          entry.has_set && r.system_identifier != SystemIdentifier(),
          TextOrNull(r.error),
          TextOrNull(r.extension_version),
          TextOrNull(r.schema_version),
          TextOrNull(r.proof_sandbox)};
}

Datum Backups(FunctionCallInfo fcinfo) {
  (void)AnsweringDirectory();
  const std::vector<os::HistoryEntry> history = ReadConfiguredHistory();
  const std::vector<core::SetFacts> sets = SetsOf(history);
  const std::vector<bool> suspicious = core::FindSuspicious(sets);
  std::map<std::string, bool> marked;
  for (std::size_t i = 0; i < sets.size(); ++i) marked[sets[i].id] = suspicious[i];
  std::vector<ResultRow> rows;
  for (auto it = history.rbegin(); it != history.rend(); ++it) rows.push_back(ToRow(*it, marked[it->run.id]));
  return ReturnRows(fcinfo, rows);
}

Datum Tables(FunctionCallInfo fcinfo) {
  const std::string id = CallPg([&] { return text_to_cstring(PG_GETARG_TEXT_PP(0)); });
  std::vector<ResultRow> rows;
  for (const core::TableRows& table : AnsweringDirectory().FindSet(id).contents.tables) {
    rows.push_back({std::int64_t{table.oid}, table.name, Or(table.rows)});
  }
  return ReturnRows(fcinfo, rows);
}

/// The last succeeded run, to estimate this one by; null when there is none.
const os::HistoryEntry* LastGood(const std::vector<os::HistoryEntry>& history) {
  for (auto it = history.rbegin(); it != history.rend(); ++it) {
    if (it->run.state == core::RunState::kSucceeded && it->run.size_bytes.value_or(0) > 0) return &*it;
  }
  return nullptr;
}

Datum Progress(FunctionCallInfo fcinfo) {
  std::vector<ResultRow> rows;
  const CurrentRun current = Current();
  if (current.state != RunnerState::kNone) {
    Value percent;
    Value eta;
    const std::vector<os::HistoryEntry> history =
        BackupDirectoryAnswers() ? ReadConfiguredHistory() : std::vector<os::HistoryEntry>{};
    if (const os::HistoryEntry* last = LastGood(history); last != nullptr && current.bytes > 0) {
      const std::int64_t expected = std::max(*last->run.size_bytes, current.bytes);
      percent = std::int64_t{100} * current.bytes / expected;
      const double elapsed = static_cast<double>(GetCurrentTimestamp() - current.started_at);
      eta = Interval{static_cast<std::int64_t>(elapsed * static_cast<double>(expected - current.bytes) /
                                               static_cast<double>(current.bytes))};
    }
    const auto* backup = std::get_if<BackupRequest>(&current.request);
    const std::string trigger = backup == nullptr ? kVerification : backup->trigger;
    rows.push_back({std::string(IdOf(current.request)), trigger, std::string(current.phase),
                    current.started_at == 0 ? Value{} : Value{Timestamp{current.started_at}}, current.bytes, percent,
                    eta});
  }
  return ReturnRows(fcinfo, rows);
}

std::string TextArgument(FunctionCallInfo fcinfo, int index, const char* fallback) {
  if (PG_ARGISNULL(index)) return fallback;
  return CallPg([&] { return text_to_cstring(PG_GETARG_TEXT_PP(index)); });
}

std::string LocalTime(const PgZoneRule& zone, core::UtcSeconds at) {
  const std::string iso = core::FormatIso(at + zone.OffsetAt(at));
  return iso.substr(0, 10) + " " + iso.substr(11, 5);
}

Datum NextRuns(FunctionCallInfo fcinfo) {
  const int count = PG_ARGISNULL(0) ? 1 : PG_GETARG_INT32(0);
  if (count < 0 || count > kMaxRuns) {
    throw core::Error(
        core::sqlstate::kInvalidParameterValue,
        "the number of runs must be between 0 and " + std::to_string(kMaxRuns) + ", not " + std::to_string(count));
  }
  const std::string text = TextArgument(fcinfo, 1, settings::backup_schedule);
  const std::string zone_name = TextArgument(fcinfo, 2, settings::ScheduleTimezone());
  core::UtcSeconds at = PG_ARGISNULL(3) ? UtcNow() : ToUtcSeconds(PG_GETARG_TIMESTAMPTZ(3));
  std::vector<ResultRow> rows;
  if (!text.empty()) {
    const char* name = zone_name.c_str();
    const pg_tz* tz = CallPg([&] { return pg_tzset(name); });
    if (tz == nullptr) {
      throw core::Error(core::sqlstate::kInvalidParameterValue, "time zone \"" + zone_name + "\" is not known", {},
                        "SELECT name FROM pg_timezone_names lists the known ones.");
    }
    const PgZoneRule zone(tz);
    const core::Schedule schedule(core::Cron::Parse(text), zone);
    for (int i = 0; i < count; ++i) {
      const std::optional<core::Slot> slot = schedule.NextAfter(at);
      if (!slot) break;
      rows.push_back({Timestamp{ToTimestampTz(slot->run_at)}, LocalTime(zone, slot->run_at), zone_name, slot->key});
      at = slot->run_at;
    }
  }
  return ReturnRows(fcinfo, rows);
}

Datum RetentionPreview(FunctionCallInfo fcinfo) {
  const os::BackupDirectory directory = AnsweringDirectory();
  directory.CheckUsable(DataDir);
  std::vector<ResultRow> rows;
  for (const core::RetentionDecision& decision :
       os::PreviewExpiry(directory, settings::database, SystemIdentifier(), ConfiguredRetention(), UtcNow())) {
    rows.push_back({decision.id, std::string(decision.keep ? "keep" : "delete"), decision.reason});
  }
  return ReturnRows(fcinfo, rows);
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_backups(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Backups(fcinfo); });
}

extern "C" Datum mfi_backup_progress(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Progress(fcinfo); });
}

extern "C" Datum mfi_backup_next_runs(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::NextRuns(fcinfo); });
}

extern "C" Datum mfi_backup_retention_preview(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::RetentionPreview(fcinfo); });
}

extern "C" Datum mfi_backup_tables(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Tables(fcinfo); });
}
