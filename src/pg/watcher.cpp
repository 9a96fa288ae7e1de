#include <memory>

#include "pg/offsite/copier.h"
#include "pg/recovery/marker.h"
#include "pg/recovery/receiver.h"
#include "pg/replication/peer_probe.h"
#include "pg/replication/peer_watch.h"
#include "pg/schema/maintenance.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/settings.h"
#include "pg/server/worker_presence.h"
#include "pg/server/workers.h"

extern "C" {
#include "storage/ipc.h"
}

// The watcher: one static background worker on every node that looks at replication, and starts what keeps the audit
// tables. It never touches the backup directory, so that a file system that hangs there keeps it from nothing.
namespace mfi::pg {
namespace {

extern "C" void OnWatcherExit(int, Datum) { WatcherGoes(); }

class Watcher : public Rounds {
 public:
  void Start() override { peers_.Load(); }

  long Round() override {
    const std::int64_t now = MonotonicMicros();
    if (now >= next_sample_us_) {
      peers_.Sample();
      StartProbeWhenWanted();
      next_sample_us_ = now + std::int64_t{1000} * settings::sample_interval_ms;
    }
    const long until_due = Min(Min(maintenance_.Round(), marker_.Round()), Min(receiver_.Round(), copier_.Round()));
    const long until_sample = static_cast<long>((next_sample_us_ - MonotonicMicros()) / 1000) + 1;
    return Max(1L, Min(until_due, until_sample));
  }

 private:
  PeerWatch peers_;
  Maintenance maintenance_;
  Marker marker_;
  ReceiverWatch receiver_;
  CopierWatch copier_;
  std::int64_t next_sample_us_ = 0;
};

void Announce() {
  WatcherBegins();
  before_shmem_exit(OnWatcherExit, 0);
}

}  // namespace

void RegisterWatcher() { RegisterStaticWorker("mfi watcher", "mfi_watcher_main"); }

}  // namespace mfi::pg

extern "C" void mfi_watcher_main(Datum) {
  mfi::pg::WorkInRounds(mfi::pg::Announce,
                        []() -> std::unique_ptr<mfi::pg::Rounds> { return std::make_unique<mfi::pg::Watcher>(); });
}
