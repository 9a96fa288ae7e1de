#include "pg/backup/directory_tidier.h"

#include <utility>

#include "core/base/error.h"
#include "os/backup/history.h"
#include "os/restore/scratch_place.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/identity.h"

namespace mfi::pg {

void DirectoryTidier::Tidy(const std::function<void(const std::string&)>& interrupted) {
  if (tidy_) return;
  const os::BackupDirectory directory = ConfiguredDirectory();
  std::string because;
  const auto done = [&](const auto& step) {
    try {
      step();
      return true;
    } catch (const PgError&) {
      throw;
    } catch (const core::Error& error) {
      if (!because.empty()) because += "; ";
      because += std::string(error.what()) + (error.hint().empty() ? "" : " (" + error.hint() + ")");
    }
    return false;
  };
  done([] { os::RemoveScratchLeftovers(ScratchDirectory(), NodeName()); });
  if (done([&] { directory.CheckUsable(DataDir); })) {
    done([&] {
      for (const std::string& id : os::CloseInterruptedRuns(directory, NodeName(), UtcNow())) {
        const char* text = id.c_str();
        CallPg([&] { ereport(LOG, (errmsg("mfi backup %s was interrupted", text))); });
        interrupted(id);
      }
    });
    done([&] { directory.RemoveLeftovers(); });
  }
  tidy_ = because.empty();
  std::swap(because_, because);
  if (tidy_ || because_ == because) return;
  const char* text = because_.c_str();
  CallPg([&] { ereport(LOG, (errmsg("mfi could not tidy the backup directory: %s", text))); });
}

}  // namespace mfi::pg
