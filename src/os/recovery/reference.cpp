#include "os/recovery/reference.h"

#include <chrono>
#include <memory>

#include "core/base/error.h"
#include "core/base/names.h"
#include "os/server/connection.h"
#include "os/server/contents_reader.h"
#include "os/server/table_list.h"

namespace mfi::os {
namespace {

constexpr std::chrono::seconds kConnectLimit{30};
constexpr std::chrono::seconds kPauseLimit{60};
constexpr std::chrono::milliseconds kPiece{10};
constexpr char kPauseState[] = "SELECT pg_catalog.pg_get_wal_replay_pause_state()";
constexpr char kBegin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

std::unique_ptr<Connection> Open(const RecoveryJob& job, Waiter& waiter) {
  using core::ConninfoValue;
  const std::string where = "host=" + ConninfoValue(job.socket_directory) + " port=" + std::to_string(job.port) +
                            " user=" + ConninfoValue(job.superuser) + " dbname=" + ConninfoValue(job.database);
  return std::make_unique<Connection>(
      Session(SessionKind::kSuperuserOnOthersData, where, "mfi drill", job.server_major), waiter, kConnectLimit);
}

/// Replay of a standby, paused while this lives. Who had paused it before keeps it paused.
class Pause {
 public:
  Pause(Connection& asked, Waiter& waiter, const PauseTeller& tell) : asked_(asked), tell_(tell) {
    if (asked_.Value(kPauseState) != "not paused") return;
    ours_ = true;
    tell_(true);
    asked_.Execute("SELECT pg_catalog.pg_wal_replay_pause()");
    const auto deadline = std::chrono::steady_clock::now() + kPauseLimit;
    while (asked_.Value(kPauseState) != "paused") {
      if (std::chrono::steady_clock::now() >= deadline) {
        throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                          "replay could not be paused within " + std::to_string(kPauseLimit.count()) + " s");
      }
      waiter.Wait(-1, false, kPiece);
    }
  }

  void End() {
    if (!ours_) return;
    asked_.Execute("SELECT pg_catalog.pg_wal_replay_resume()");
    ours_ = false;
    tell_(false);
  }

  ~Pause() {
    try {
      End();
    } catch (const core::Error&) {
      // Whoever was told sees to it.
    }
  }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  Connection& asked_;
  const PauseTeller& tell_;
  bool ours_ = false;
};

void TakeSnapshotOfStandby(Connection& holder, Connection& asked, Waiter& waiter, const PauseTeller& tell,
                           Reference& reference) {
  Pause pause(asked, waiter, tell);
  holder.Execute(kBegin);
  reference.lsn = core::ParseLsn(holder.Value("SELECT pg_catalog.pg_last_wal_replay_lsn()")).value_or(0);
  pause.End();
}

/// The message is a record whose end is known; that it is transactional has it written to disk, and sent.
void TakeSnapshotOfPrimary(Connection& holder, Connection& asked, Reference& reference) {
  holder.Execute(kBegin);
  reference.snapshot = holder.Value("SELECT pg_catalog.pg_current_snapshot()");
  reference.lsn =
      core::ParseLsn(asked.Value("SELECT pg_catalog.pg_logical_emit_message(true, 'mfi', 'reference')")).value_or(0);
}

}  // namespace

Reference TakeReference(const RecoveryJob& job, Waiter& waiter, const PauseTeller& tell) {
  const std::unique_ptr<Connection> holder = Open(job, waiter);
  const std::unique_ptr<Connection> asked = Open(job, waiter);
  const ContentsFunctions functions = MakeContentsFunctions(*holder);
  ContentsReader reader(*holder, functions);
  reader.ExpectRecovery();
  Reference reference;
  reference.words = "what this node held";
  if (asked->Value("SELECT pg_catalog.pg_is_in_recovery()") == "t") {
    TakeSnapshotOfStandby(*holder, *asked, waiter, tell, reference);
  } else {
    TakeSnapshotOfPrimary(*holder, *asked, reference);
  }
  reader.Begin(ListTables(*holder));
  reference.contents = reader.Finish();
  return reference;
}

}  // namespace mfi::os
