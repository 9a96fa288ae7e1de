#include "pg/backup/run_request.h"

#include <string>

#include "core/base/names.h"
#include "core/base/printable.h"
#include "os/backup/record_store.h"
#include "pg/node/node.h"
#include "pg/server/bridge.h"
#include "pg/server/settings.h"

namespace mfi::pg {

namespace {

/// A second of its own for a run: now, or the next one not yet given out.
core::UtcSeconds TakeSecond(core::UtcSeconds now) {
  const StateLock lock(LW_EXCLUSIVE);
  core::UtcSeconds second = Max(now, Shared()->last_id_at + 1);
  // After the clock was set back far, ids follow it again.
  if (second > now + core::kHour) second = now;
  Shared()->last_id_at = second;
  return second;
}

/// Shared memory forgets at a restart what was given out before, and another node may share the directory.
bool IsTaken(const std::string& id) {
  const os::BackupDirectory directory = ConfiguredDirectory();
  return os::HasRecord(directory.RunsPath(), id) || os::Exists(directory.SetPath(id));
}

}  // namespace

void AssignId(RunRequest& request) {
  request.queued_at = UtcNow();
  std::string id;
  do {
    id = core::RunId(settings::database, TakeSecond(request.queued_at));
  } while (IsTaken(id));
  if (id.size() >= sizeof(request.id)) {
    throw core::Error(core::sqlstate::kInvalidParameterValue, "the name of the database is too long for a file name",
                      {}, "Rename the database.");
  }
  strlcpy(request.id, id.c_str(), sizeof(request.id));
}

core::RunRecord ToRecord(const RunRequest& request) {
  core::RunRecord record;
  record.id = request.id;
  record.trigger = request.trigger;
  record.database = settings::database;
  record.note = request.note;
  record.slot_key = request.slot_key;
  record.schedule_id = request.schedule_id;
  record.attempt = request.attempt;
  record.server_start = ServerStart();
  record.node = NodeName();
  record.queued_at = request.queued_at;
  return record;
}

void AnswerUnlessAnswered(const RunRequest& request, const std::string& text) {
  {
    const StateLock lock(LW_SHARED);
    if (Shared()->answers[request.verify_ticket % kMaxRequests].ticket >= request.verify_ticket) return;
  }
  AnswerVerify(request, text, true);
}

void AnswerVerify(const RunRequest& request, const std::string& text, bool failed) {
  {
    const StateLock lock(LW_EXCLUSIVE);
    VerifyAnswer& answer = Shared()->answers[request.verify_ticket % kMaxRequests];
    answer.ticket = request.verify_ticket;
    answer.failed = failed;
    strlcpy(answer.text, core::Printable(text, sizeof(answer.text) - 1).c_str(), sizeof(answer.text));
  }
  ConditionVariableBroadcast(&Shared()->run_changed);
}

}  // namespace mfi::pg
