#include "pg/run_request.h"

#include <string>

#include "core/names.h"
#include "pg/bridge.h"
#include "pg/node.h"
#include "pg/settings.h"

namespace mfi::pg {

void AssignId(RunRequest& request) {
  {
    const StateLock lock(LW_EXCLUSIVE);
    request.queued_at = Max(UtcNow(), Shared()->last_id_at + 1);
    // After the clock was set back far, ids follow it again.
    if (request.queued_at > UtcNow() + core::kHour) request.queued_at = UtcNow();
    Shared()->last_id_at = request.queued_at;
  }
  const std::string id = core::RunId(settings::database, request.queued_at);
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

}  // namespace mfi::pg
