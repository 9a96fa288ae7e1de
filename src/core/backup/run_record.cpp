#include "core/backup/run_record.h"

#include <array>
#include <utility>

#include "core/backup/run_record_json.h"

namespace mfi::core {
namespace {

constexpr std::array<std::pair<RunState, const char*>, 9> kStates = {{{RunState::kQueued, "queued"},
                                                                      {RunState::kDumping, "dumping"},
                                                                      {RunState::kPublishing, "publishing"},
                                                                      {RunState::kVerifying, "verifying"},
                                                                      {RunState::kSucceeded, "succeeded"},
                                                                      {RunState::kFailed, "failed"},
                                                                      {RunState::kCancelled, "cancelled"},
                                                                      {RunState::kExpired, "expired"},
                                                                      {RunState::kMissing, "missing"}}};

}  // namespace

std::string ToString(RunState state) {
  for (const auto& [value, name] : kStates) {
    if (value == state) return name;
  }
  return "unknown";
}

std::optional<RunState> ParseRunState(std::string_view text) {
  for (const auto& [value, name] : kStates) {
    if (text == name) return value;
  }
  return std::nullopt;
}

bool IsFinal(RunState state) {
  switch (state) {
    case RunState::kQueued:
    case RunState::kDumping:
    case RunState::kPublishing:
    case RunState::kVerifying:
      return false;
    default:
      return true;
  }
}

json::Json RecordToJson(const RunRecord& r) {
  return {{"id", r.id},
          {"state", ToString(r.state)},
          {"trigger", r.trigger},
          {"database", r.database},
          {"note", json::OrNull(r.note)},
          {"slot", json::OrNull(r.slot_key)},
          {"schedule", json::OrNull(r.schedule_id)},
          {"attempt", r.attempt},
          {"server_start", FormatIso(r.server_start)},
          {"node", r.node},
          {"queued_at", FormatIso(r.queued_at)},
          {"started_at", json::TimeOrNull(r.started_at)},
          {"finished_at", json::TimeOrNull(r.finished_at)},
          {"system_identifier", json::OrNull(r.system_identifier)},
          {"source_node", json::OrNull(r.source_node)},
          {"source_role", json::OrNull(r.source_role)},
          {"source_lag_bytes", json::OrNull(r.source_lag_bytes)},
          {"snapshot_lsn", json::OrNull(r.snapshot_lsn)},
          {"snapshot", json::OrNull(r.snapshot)},
          {"timeline", r.timeline},
          {"extension_version", json::OrNull(r.extension_version)},
          {"schema_version", json::OrNull(r.schema_version)},
          {"size_bytes", json::OrNull(r.size_bytes)},
          {"path", json::OrNull(r.path)},
          {"tables", r.tables},
          {"verify_method", json::OrNull(ToString(r.verify_method))},
          {"verify_result", json::OrNull(r.verify_result)},
          {"proof_attempts", r.proof_attempts},
          {"proof_tried_at", json::TimeOrNull(r.proof_tried_at)},
          {"proof_sandbox", json::OrNull(r.proof_sandbox)},
          {"verified_at", json::TimeOrNull(r.verified_at)},
          {"error", json::OrNull(r.error)}};
}

RunRecord RecordFromJson(const json::Json& object) {
  RunRecord r;
  json::Read(object, "id", r.id);
  if (r.id.empty()) throw Error(sqlstate::kDataCorrupted, "member \"id\" is missing");
  std::string state;
  json::Read(object, "state", state);
  const auto parsed = ParseRunState(state);
  if (!parsed) throw Error(sqlstate::kDataCorrupted, "member \"state\" is no state of a run: \"" + state + "\"");
  r.state = *parsed;
  json::Read(object, "trigger", r.trigger);
  json::Read(object, "database", r.database);
  json::Read(object, "note", r.note);
  json::Read(object, "slot", r.slot_key);
  json::Read(object, "schedule", r.schedule_id);
  json::Read(object, "attempt", r.attempt);
  json::Read(object, "node", r.node);
  std::optional<UtcSeconds> at;
  json::ReadTime(object, "server_start", at);
  r.server_start = at.value_or(0);
  at.reset();
  json::ReadTime(object, "queued_at", at);
  if (!at) throw Error(sqlstate::kDataCorrupted, "member \"queued_at\" is missing");
  r.queued_at = *at;
  json::ReadTime(object, "started_at", r.started_at);
  json::ReadTime(object, "finished_at", r.finished_at);
  json::Read(object, "system_identifier", r.system_identifier);
  json::Read(object, "source_node", r.source_node);
  json::Read(object, "source_role", r.source_role);
  json::Read(object, "source_lag_bytes", r.source_lag_bytes);
  json::Read(object, "snapshot_lsn", r.snapshot_lsn);
  json::Read(object, "snapshot", r.snapshot);
  json::Read(object, "timeline", r.timeline);
  json::Read(object, "extension_version", r.extension_version);
  json::Read(object, "schema_version", r.schema_version);
  json::Read(object, "size_bytes", r.size_bytes);
  json::Read(object, "path", r.path);
  json::Read(object, "tables", r.tables);
  std::string method;
  json::Read(object, "verify_method", method);
  r.verify_method = ParseVerifyMethod(method);
  json::Read(object, "verify_result", r.verify_result);
  json::Read(object, "proof_attempts", r.proof_attempts);
  json::ReadTime(object, "proof_tried_at", r.proof_tried_at);
  json::Read(object, "proof_sandbox", r.proof_sandbox);
  json::ReadTime(object, "verified_at", r.verified_at);
  json::Read(object, "error", r.error);
  return r;
}

std::string ToJson(const RunRecord& record) { return json::Dump(RecordToJson(record)); }

RunRecord ParseRunRecord(std::string_view json) {
  return RecordFromJson(json::ParseObject(json, "the run record", kMaxRecordBytes));
}

}  // namespace mfi::core
