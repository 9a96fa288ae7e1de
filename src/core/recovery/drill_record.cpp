#include "core/recovery/drill_record.h"

#include "core/base/json_fields.h"

namespace mfi::core {
namespace {

constexpr char kWhat[] = "drill record";

Lsn ReadLsn(const json::Json& document, const char* name) {
  std::string text;
  json::Read(document, name, text);
  if (text.empty()) return 0;
  const std::optional<Lsn> lsn = ParseLsn(text);
  if (!lsn) json::WrongType(name, "a position in WAL");
  return *lsn;
}

UtcSeconds ReadMoment(const json::Json& document, const char* name) {
  std::optional<UtcSeconds> at;
  json::ReadTime(document, name, at);
  return at.value_or(0);
}

}  // namespace

std::string ToJson(const DrillRecord& record) {
  return json::Dump({{"format", kDrillFormat},
                     {"id", record.id},
                     {"node", record.node},
                     {"system_identifier", record.system_identifier},
                     {"started_at", FormatIso(record.started_at)},
                     {"finished_at", json::TimeOrNull(record.finished_at)},
                     {"base", record.base},
                     {"reference", record.reference},
                     {"reference_lsn", FormatLsn(record.reference_lsn)},
                     {"backup", json::OrNull(record.backup)},
                     {"tables", record.tables},
                     {"result", json::OrNull(record.result)},
                     {"error", json::OrNull(record.error)},
                     {"rpo_ms", json::OrNull(record.rpo_ms)},
                     {"rto_ms", json::OrNull(record.rto_ms)},
                     {"newest_time", json::TimeOrNull(record.newest_time)},
                     {"newest_lsn", FormatLsn(record.newest_lsn)}});
}

DrillRecord ParseDrillRecord(std::string_view text) {
  const json::Json document = json::ParseObject(text, kWhat, kMaxDrillRecordBytes);
  int format = 0;
  json::Read(document, "format", format);
  if (format != kDrillFormat) {
    throw Error(sqlstate::kDataCorrupted, "the drill record has format " + std::to_string(format));
  }
  DrillRecord record;
  json::Read(document, "id", record.id);
  json::Read(document, "node", record.node);
  json::Read(document, "system_identifier", record.system_identifier);
  record.started_at = ReadMoment(document, "started_at");
  json::ReadTime(document, "finished_at", record.finished_at);
  json::Read(document, "base", record.base);
  json::Read(document, "reference", record.reference);
  record.reference_lsn = ReadLsn(document, "reference_lsn");
  json::Read(document, "backup", record.backup);
  json::Read(document, "tables", record.tables);
  json::Read(document, "result", record.result);
  json::Read(document, "error", record.error);
  json::Read(document, "rpo_ms", record.rpo_ms);
  json::Read(document, "rto_ms", record.rto_ms);
  json::ReadTime(document, "newest_time", record.newest_time);
  record.newest_lsn = ReadLsn(document, "newest_lsn");
  return record;
}

}  // namespace mfi::core
