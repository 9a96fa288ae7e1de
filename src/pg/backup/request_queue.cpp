#include "pg/backup/request_queue.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "pg/backup/run_request.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"

namespace mfi::pg {

bool RecordFailure(WaitingRequest& waiting, const std::string& error) {
  if (!waiting.record) return false;
  core::RunRecord& record = waiting.record->record();
  record.state = core::RunState::kFailed;
  record.error = error;
  record.finished_at = UtcNow();
  try {
    waiting.record->Save();
  } catch (const core::Error&) {
    return false;
  }
  return true;
}

bool RequestQueue::TakeSubmitted(const Refused& refused) {
  bool any = false;
  while (const std::optional<Request> request = OldestRequest()) {
    Add(*request, refused);
    TakenOver(Size());
    any = true;
  }
  return any;
}

void RequestQueue::Add(const Request& request, const Refused& refused) {
  WaitingRequest waiting{.request = request};
  const os::BackupDirectory directory = ConfiguredDirectory();
  try {
    directory.CheckUsable(DataDir);
    directory.Prepare();
    if (const auto* backup = std::get_if<BackupRequest>(&request)) {
      waiting.record.emplace(directory.RunsPath(), ToRecord(*backup));
      waiting.record->Save();
    }
    waiting_.push_back(std::move(waiting));
  } catch (const PgError&) {
    throw;
  } catch (const core::Error& error) {
    refused(waiting, std::string(error.what()) + (error.hint().empty() ? "" : " (" + error.hint() + ")"));
  }
}

bool RequestQueue::Cancel(const std::string& id) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const WaitingRequest& waiting) {
    return id == IdOf(waiting.request) && waiting.record;
  });
  if (found == waiting_.end()) return false;
  core::RunRecord& record = found->record->record();
  record.state = core::RunState::kCancelled;
  record.error = "cancelled by mfi_backup_cancel before it began";
  record.finished_at = UtcNow();
  try {
    found->record->Save();
  } catch (const core::Error& error) {
    // It is not begun all the same; its record, locked by nobody, is closed as interrupted.
    const char* text = error.what();
    CallPg([&] { ereport(LOG, (errmsg("mfi backup %s is cancelled, but: %s", id.c_str(), text))); });
  }
  waiting_.erase(found);
  return true;
}

std::optional<WaitingRequest> RequestQueue::Next() {
  if (waiting_.empty()) return std::nullopt;
  std::optional<WaitingRequest> next = std::move(waiting_.front());
  waiting_.pop_front();
  return next;
}

/// Verifications do not count: whoever asks for one after the other must not keep the schedule from its turn.
bool RequestQueue::HasBackup() const {
  return std::any_of(waiting_.begin(), waiting_.end(), [](const WaitingRequest& waiting) {
    return std::holds_alternative<BackupRequest>(waiting.request);
  });
}

}  // namespace mfi::pg
