#include <cmath>

#include "pg/replication/history_ring.h"
#include "pg/server/bridge.h"
#include "pg/server/rows.h"
#include "pg/server/shared_memory.h"

extern "C" {
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(mfi_replication_history);
}

namespace mfi::pg {
namespace {

/// No two looks are further apart: the sample before the first one asked for serves its rates.
constexpr std::int64_t kLongestInterval = 2 * std::int64_t{60} * USECS_PER_SEC;

TimestampTz Ago(Datum since) {
  const Datum now = TimestampTzGetDatum(GetCurrentTimestamp());
  return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, now, since));
}

Value Rounded(const std::optional<double>& value) {
  return value ? Value{static_cast<std::int64_t>(std::llround(*value))} : Value{};
}

ResultRow ToRow(const core::HistoryRow& entry) {
  const core::ReplicationSample& sample = entry.sample;
  ResultRow row = {Timestamp{sample.at_us},
                   std::string(sample.in_recovery ? "standby" : "primary"),
                   std::int64_t{sample.timeline},
                   TextOrNull(sample.peer),
                   sample.peer.empty() ? Value{} : Value{sample.connected},
                   LsnOrNull(sample.wal_end),
                   LsnOrNull(sample.replay),
                   Or(entry.lag_bytes),
                   SecondsOrNull(sample.silent_for_s),
                   Rounded(entry.wal_bytes_per_s),
                   Rounded(entry.replay_bytes_per_s),
                   sample.wal_disk_free == 0 ? Value{} : Value{sample.wal_disk_free}};
  for (const std::int64_t count : entry.conflicts) row.emplace_back(count);
  return row;
}

Datum History(FunctionCallInfo fcinfo) {
  const TimestampTz since = CallPg([&] {
    RequirePreloaded();
    return Ago(PG_GETARG_DATUM(0));
  });
  // Before 2000 there is nothing, and with 'infinity' nothing to subtract from.
  const TimestampTz first = since > 0 ? since - kLongestInterval : since;
  std::vector<ResultRow> rows;
  for (const core::HistoryRow& entry : core::ReplicationHistory(Remembered(first), since)) {
    rows.push_back(ToRow(entry));
  }
  return ReturnRows(fcinfo, rows);
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_replication_history(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::History(fcinfo); });
}
