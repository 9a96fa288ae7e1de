#include "pg/replication/peer_probe.h"

#include <cstdlib>
#include <memory>

#include "core/base/error.h"
#include "core/replication/peer_answer.h"
#include "os/server/connection.h"
#include "os/server/standby_source.h"
#include "pg/replication/probe_memory.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/settings.h"
#include "pg/server/workers.h"

extern "C" {
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "utils/guc.h"
}

namespace mfi::pg {
namespace {

/// Of connecting, and of an answer.
constexpr std::chrono::seconds kLimit{5};

/// A standby's timeline is that of its last restart point: only a primary's counts.
constexpr char kQuestion[] =
    "SELECT pg_catalog.pg_is_in_recovery(), (SELECT system_identifier FROM pg_catalog.pg_control_system()), "
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()) ELSE "
    "('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int END, "
    "(extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint";

class ProbeWaiter : public os::Waiter {
 public:
  void Begin() { deadline_ = std::chrono::steady_clock::now() + kLimit; }

  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override {
    CallPg([&] { WaitOnLatch(static_cast<long>(limit.count()), fd, for_write); });
    if (ShutdownRequestPending) throw core::Error("57P01", "the server is shutting down");
    if (std::chrono::steady_clock::now() >= deadline_) {
      throw core::Error(core::sqlstate::kConnectionFailure,
                        "no answer within " + std::to_string(kLimit.count()) + " s");
    }
  }

 private:
  std::chrono::steady_clock::time_point deadline_;
};

class PeerProbe {
 public:
  /// One question; a connection that answered is kept for the next.
  void Ask() {
    try {
      waiter_.Begin();
      if (!connection_) Connect();
      waiter_.Begin();
      const std::vector<os::Row> rows = connection_->Query(kQuestion);
      const auto answer = core::ParsePeerAnswer(rows);
      if (!answer) throw core::Error("XX000", "its answer is not that of a PostgreSQL server");
      Believe(*answer);
    } catch (const PgError&) {
      throw;
    } catch (const core::Error& error) {
      connection_.reset();
      ReportPeerFailure(error.hint().empty() ? error.what() : std::string(error.what()) + " (" + error.hint() + ")");
    }
  }

 private:
  void Connect() {
    const os::Session session(os::SessionKind::kProbe, "dbname=postgres " + os::PeerKeywords(settings::peer_conninfo),
                              "mfi probe", PG_VERSION_NUM / 10000);
    connection_ = std::make_unique<os::Connection>(session, waiter_, kLimit);
  }

  static void Believe(const core::PeerAnswer& answer) {
    constexpr std::int64_t kEpochs = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * USECS_PER_SEC;
    if (answer.started_at_us == PgStartTime + kEpochs) {
      ReportPeerFailure("it leads to this server itself");
      return;
    }
    ReportPeer(answer.in_recovery, answer.timeline, answer.system_identifier);
  }

  ProbeWaiter waiter_;
  std::unique_ptr<os::Connection> connection_;
};

extern "C" void OnProbeExit(int, Datum) { ReleaseProbe(); }

}  // namespace

void StartProbeWhenWanted() {
  if (settings::peer_conninfo[0] == '\0') return;
  constexpr std::int64_t kAgainAfterUs = 5 * USECS_PER_SEC;
  if (!AskForProbe(kAgainAfterUs)) return;
  CallPg([] {
    auto* handle = StartWorker("mfi probe", "mfi_probe_main", WorkerKind::kWithoutDatabase);
    if (handle != nullptr) pfree(handle);
  });
}

core::ProbeFacts GatherProbeFacts() {
  core::ProbeFacts facts{.configured = settings::peer_conninfo[0] != '\0'};
  const std::optional<SeenPeer> seen = LastSeenPeer();
  if (!seen || !facts.configured) return facts;
  const auto ago = [now = MonotonicMicros()](std::int64_t at_us) { return static_cast<double>(now - at_us) / 1e6; };
  facts.in_recovery = seen->in_recovery;
  facts.timeline = seen->timeline;
  facts.system_identifier = seen->system_identifier;
  facts.error = seen->error;
  if (seen->seen_at_us != 0) facts.seen_ago_s = ago(seen->seen_at_us);
  if (seen->began_at_us != 0) facts.tried_for_s = ago(seen->began_at_us);
  return facts;
}

}  // namespace mfi::pg

extern "C" void mfi_probe_main(Datum) {
  using namespace mfi::pg;
  TakeSignals();
  // A name server that does not answer is not waited for longer than the other node itself.
  setenv("RES_OPTIONS", "timeout:2 attempts:1", 0);
  mfi::os::ForgetLibpqEnvironment();
  if (!ClaimProbe()) proc_exit(0);
  before_shmem_exit(OnProbeExit, 0);
  static PeerProbe* probe = nullptr;
  Guard([] { probe = std::make_unique<PeerProbe>().release(); });
  while (!ShutdownRequestPending) {
    if (ConfigReloadPending) {
      ConfigReloadPending = false;
      const char* before = pstrdup(settings::peer_conninfo);
      ProcessConfigFile(PGC_SIGHUP);
      // Another peer: the watcher starts a new probe, and what this one saw is not believed of that peer.
      if (strcmp(before, settings::peer_conninfo) != 0) {
        ForgetPeer();
        break;
      }
    }
    Guard([] { probe->Ask(); });
    if (ShutdownRequestPending) break;
    WaitOnLatch(settings::sample_interval_ms);
  }
  proc_exit(0);
}
