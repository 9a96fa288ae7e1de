#include "pg/backup/directory_view.h"

#include <algorithm>

#include "core/base/error.h"
#include "os/backup/history.h"
#include "pg/backup/run_request.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"
#include "pg/server/settings.h"

namespace mfi::pg {
namespace {

using core::PastRun;
using core::RunState;

constexpr std::int64_t kReadEvery = core::kMinute;

PastRun ToPast(const core::RunRecord& run, bool alive) {
  PastRun past{.trigger = core::ParseTrigger(run.trigger).value_or(core::Trigger::kManual),
               .slot_key = run.slot_key,
               .schedule_id = run.schedule_id,
               .queued_at = run.queued_at,
               .finished_at = run.finished_at,
               .server_start = run.server_start,
               .attempt = std::max(1, run.attempt)};
  past.succeeded =
      run.state == RunState::kSucceeded || run.state == RunState::kExpired || run.state == RunState::kMissing;
  past.cancelled = run.state == RunState::kCancelled;
  // An interrupted run of another node is nobody's to close; it is over all the same.
  if (!alive && !past.finished_at) past.finished_at = run.queued_at;
  return past;
}

}  // namespace

void DirectoryView::RememberUnrecorded(const BackupRequest& request) {
  core::RunRecord record = ToRecord(request);
  record.state = RunState::kFailed;
  record.finished_at = UtcNow();
  unrecorded_.push_back(ToPast(record, false));
}

std::vector<PastRun> DirectoryView::Runs() const {
  std::vector<PastRun> all = history_;
  all.insert(all.end(), unrecorded_.begin(), unrecorded_.end());
  return all;
}

void DirectoryView::Refresh() {
  const core::UtcSeconds now = UtcNow();
  const bool fresh = read_ == settings::backup_directory && now - read_at_ < kReadEvery && now >= read_at_;
  if (fresh) return;
  history_.clear();
  newest_verified_.reset();
  last_failed_.reset();
  proof_.reset();
  read_ = settings::backup_directory;
  read_at_ = now;
  try {
    Read();
  } catch (const PgError&) {
    throw;
  } catch (const core::Error&) {
    // The run that is due will say so, and be remembered in unrecorded_.
  }
}

void DirectoryView::Read() {
  bool whole = true;
  const std::vector<os::HistoryEntry> history = os::ReadHistory(ConfiguredDirectory(), &whole);
  if (!whole && whole_) {
    CallPg([] { ereport(LOG, (errmsg("mfi: %s", os::kNotWhole), errhint("%s", os::kNotWholeHint))); });
  }
  whole_ = whole;
  std::vector<core::ProofFacts> own_sets;
  for (const os::HistoryEntry& entry : history) {
    const core::RunRecord& run = entry.run;
    if (run.database != settings::database) continue;
    history_.push_back(ToPast(run, entry.alive));
    if (!entry.has_set || run.system_identifier != SystemIdentifier()) continue;
    if (run.verify_result == "ok" && run.finished_at) {
      newest_verified_ = std::max(newest_verified_.value_or(0), *run.finished_at);
    }
    own_sets.push_back({.id = run.id,
                        .finished = run.finished_at.value_or(0),
                        .has_result = !run.verify_result.empty(),
                        .attempts = run.proof_attempts,
                        .tried_at = run.proof_tried_at});
  }
  proof_ = core::ProofToRepeat(own_sets);
  last_failed_ = core::LastRunFailed(history_);
}

}  // namespace mfi::pg
