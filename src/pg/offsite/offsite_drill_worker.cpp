#include <string>

#include "core/base/error.h"
#include "os/offsite/offsite_drill.h"
#include "os/process/child.h"
#include "os/server/session.h"
#include "pg/backup/backup_job.h"
#include "pg/offsite/offsite_board.h"
#include "pg/offsite/offsite_host.h"
#include "pg/offsite/offsite_settings.h"
#include "pg/recovery/recovery_settings.h"
#include "pg/server/bridge.h"
#include "pg/server/identity.h"
#include "pg/server/settings.h"
#include "pg/server/worker_session.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
}

// One dynamic background worker for one drill from a copy. It is attached to no database.
namespace mfi::pg {
namespace {

extern "C" void OnOffsiteDrillExit(int, Datum) {
  os::StopAllChildren();
  OffsiteDrillGoes();
}

void NoteProven(const core::OffsiteDrillRecord& drill) {
  const core::OffsiteState state = os::ReadOffsiteState(ConfiguredOffsiteState());
  ConfiguredDirectory().ChangeManifest(drill.set, [&](core::Manifest& manifest) {
    for (core::SetCopy& copy : manifest.copies) {
      if (copy.repository == state.repository_id) copy.proven_at = drill.finished_at;
    }
  });
}

void Work() {
  os::ForgetLibpqEnvironment();
  os::OffsiteDrillJob job;
  job.offsite = MakeOffsiteJob();
  job.backup = MakeBackupJob();
  CallPg([] { StartTransactionCommand(); });
  job.recovery = MakeRecoveryJob();
  CallPg([] { CommitTransactionCommand(); });
  job.drills_directory = ConfiguredOffsiteDrills();
  OffsiteHost host;
  const core::OffsiteDrillRecord drill = os::RunOffsiteDrill(job, host);
  const bool good = drill.error.empty() && drill.result == "ok";
  const std::string said = drill.error.empty() ? drill.result : drill.error;
  CallPg([&] {
    ereport(LOG, (errmsg("mfi drill from a copy %s of %s: %s", drill.id.c_str(), drill.set.c_str(), said.c_str())));
  });
  OffsiteDrillEnded(good ? "" : said);
  if (!good) return;
  try {
    NoteProven(drill);
  } catch (const PgError&) {
    throw;
  } catch (const core::Error&) {
    // The set that was fetched is not here any more; the drill's record has it.
  }
}

}  // namespace
}  // namespace mfi::pg

extern "C" void mfi_offsite_drill_main(Datum) {
  pqsignal(SIGHUP, SIG_IGN);
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  BackgroundWorkerUnblockSignals();
  mfi::pg::BeginWorkerSession(nullptr);
  mfi::pg::OffsiteDrillBegins();
  before_shmem_exit(mfi::pg::OnOffsiteDrillExit, 0);
  mfi::pg::Guard([] { mfi::pg::Work(); });
  proc_exit(0);
}
