#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/backup/verify_method.h"
#include "core/base/time.h"

namespace mfi::core {

/// Life of a backup run: queued, dumping, publishing, verifying, then one of the final states. A run that reached
/// no final state and whose process is gone was interrupted (see os/record_store.h). `kExpired`: retention
/// deleted the set. `kMissing` is never written: a reader says it of a succeeded run whose set is gone.
enum class RunState { kQueued, kDumping, kPublishing, kVerifying, kSucceeded, kFailed, kCancelled, kExpired, kMissing };

std::string ToString(RunState state);
std::optional<RunState> ParseRunState(std::string_view text);
bool IsFinal(RunState state);

/// RunRecord::proof_sandbox when nothing was lacking.
inline constexpr char kWholeSandbox[] = "whole";

/// What is known of one run. Written to `.runs/<id>.json` before work begins and at every change of state, and
/// again inside the set's manifest: it outlives the set, and the set outlives it.
struct RunRecord {
  std::string id;
  RunState state = RunState::kQueued;
  std::string trigger;  // schedule | start | manual | catch-up | retry
  std::string database;
  std::string note;
  std::string slot_key;     // the scheduled slot this run fills; empty for start and manual runs
  std::string schedule_id;  // cron text and zone in force when the run was queued
  int attempt = 0;
  std::int64_t server_start = 0;  // of the postmaster that queued the run, seconds UTC
  std::string node;               // the node that runs it
  UtcSeconds queued_at = 0;
  std::optional<UtcSeconds> started_at;
  std::optional<UtcSeconds> finished_at;

  std::string system_identifier;
  std::string source_node;
  std::string source_role;  // primary | standby
  std::optional<std::int64_t> source_lag_bytes;
  std::string snapshot_lsn;
  std::string snapshot;  // as pg_current_snapshot() gives it, for a recovery to snapshot_lsn; empty: not of a primary
  int timeline = 0;
  std::string extension_version;
  std::string schema_version;

  std::optional<std::int64_t> size_bytes;
  std::string path;  // of the archive, relative to the backup directory
  int tables = 0;    // TABLE DATA entries of the archive

  std::optional<VerifyMethod> verify_method;  // nullopt: none was applied yet, or one that this version does not know
  std::string verify_result;                  // "ok", or what differs; empty: not verified
  std::string proof_sandbox;  // of a proof: "whole", or what its sandbox lacked on this kernel; empty without a proof
  std::optional<UtcSeconds> verified_at;
  int proof_attempts = 0;  // proofs that were begun, whatever came of them
  std::optional<UtcSeconds> proof_tried_at;
  std::string error;
};

/// A record that is larger is not read.
inline constexpr std::int64_t kMaxRecordBytes = std::int64_t{256} * 1024;

/// The record as JSON text.
std::string ToJson(const RunRecord& record);

/// Reads what ToJson wrote, by this or another version: unknown members are ignored, missing ones keep their default.
/// Throws Error(kDataCorrupted) for anything that is not such a record.
RunRecord ParseRunRecord(std::string_view json);

}  // namespace mfi::core
