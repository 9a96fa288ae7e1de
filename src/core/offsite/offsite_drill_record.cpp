#include "core/offsite/offsite_drill_record.h"

#include "core/base/json_fields.h"

namespace mfi::core {

std::string ToJson(const OffsiteDrillRecord& record) {
  return json::Dump({{"format", kOffsiteDrillFormat},
                     {"id", record.id},
                     {"node", record.node},
                     {"repository", record.repository},
                     {"started_at", FormatIso(record.started_at)},
                     {"finished_at", json::TimeOrNull(record.finished_at)},
                     {"set", json::OrNull(record.set)},
                     {"snapshot", json::OrNull(record.snapshot)},
                     {"store", json::OrNull(record.store)},
                     {"compared_with", json::OrNull(record.compared_with)},
                     {"newest_time", json::TimeOrNull(record.newest_time)},
                     {"fetched_bytes", record.fetched_bytes},
                     {"result", json::OrNull(record.result)},
                     {"error", json::OrNull(record.error)}});
}

OffsiteDrillRecord ParseOffsiteDrillRecord(std::string_view text) {
  const json::Json document = json::ParseObject(text, "the record of a drill from a copy", kMaxOffsiteDrillBytes);
  int format = 0;
  json::Read(document, "format", format);
  if (format != kOffsiteDrillFormat) {
    throw Error(sqlstate::kDataCorrupted, "the record of a drill from a copy has format " + std::to_string(format));
  }
  OffsiteDrillRecord record;
  json::Read(document, "id", record.id);
  json::Read(document, "node", record.node);
  json::Read(document, "repository", record.repository);
  std::optional<UtcSeconds> started;
  json::ReadTime(document, "started_at", started);
  record.started_at = started.value_or(0);
  json::ReadTime(document, "finished_at", record.finished_at);
  json::Read(document, "set", record.set);
  json::Read(document, "snapshot", record.snapshot);
  json::Read(document, "store", record.store);
  json::Read(document, "compared_with", record.compared_with);
  json::ReadTime(document, "newest_time", record.newest_time);
  json::Read(document, "fetched_bytes", record.fetched_bytes);
  json::Read(document, "result", record.result);
  json::Read(document, "error", record.error);
  return record;
}

}  // namespace mfi::core
