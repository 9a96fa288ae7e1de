#include "pg/backup/run_request.h"

#include <string>

#include "core/base/names.h"
#include "os/backup/record_store.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"
#include "pg/server/settings.h"

namespace mfi::pg {

namespace {

/// Shared memory forgets at a restart what was given out before, and another node may share the directory.
bool IsTaken(const std::string& id) {
  const os::BackupDirectory directory = ConfiguredDirectory();
  return os::HasRecord(directory.RunsPath(), id) || os::Exists(directory.SetPath(id));
}

}  // namespace

void AssignId(BackupRequest& request) {
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

core::RunRecord ToRecord(const BackupRequest& request) {
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
