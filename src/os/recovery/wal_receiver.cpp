#include "os/recovery/wal_receiver.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/error.h"
#include "os/process/child.h"
#include "os/process/private_log.h"
#include "os/recovery/receiver_server.h"
#include "os/recovery/receiving.h"

namespace mfi::os {
namespace {

using core::Error;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kShortestBackOff{1};
constexpr seconds kLongestBackOff{60};
constexpr seconds kBeforeReceiving{1};  // between two questions about its progress
constexpr seconds kWhileReceiving{5};

core::UtcSeconds Now() {
  return std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string Words(const Error& error) {
  return error.what() + (error.hint().empty() ? std::string() : " (" + error.hint() + ")");
}

}  // namespace

class WalReceiver::Impl {
 public:
  Impl(RecoveryJob job, Waiter& waiter)
      : job_(std::move(job)), waiter_(waiter), store_(job_.directory, job_.node), source_(job_, waiter) {}

  const State& Look() {
    try {
      if (child_) {
        Watch();
      } else if (steady_clock::now() >= next_start_) {
        Start();
      }
    } catch (const core::Stop&) {
      throw;
    } catch (const Error& error) {
      state_.error = Words(error);
      if (!child_) BackOff();
    }
    return state_;
  }

 private:
  void Start() {
    store_.CheckUsable(job_.data_directory);
    server_ = source_.Prepare();
    core::StoreIdentity own = server_.identity;
    own.node = job_.node;
    own.created_at = Now();
    lock_.reset();
    store_.Prepare(own);
    lock_.emplace(store_.LockForReceiver());
    if (!lock_->held()) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  "another process receives into \"" + store_.path() + "\"");
    }
    const core::ReceivePlan plan = PrepareReceiving(store_, server_.wal, waiter_);
    state_.sent_end = server_.wal.end;
    if (plan.ahead) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  "the standby has WAL to " + core::FormatLsn(server_.wal.end) +
                      ", less than was received from it before: it has to catch up first");
    }
    if (plan.gap) {
      state_.gap = "segment " + core::SegmentName(plan.gap->first, server_.wal.segment_bytes) + " to " +
                   core::SegmentName(plan.gap->last, server_.wal.segment_bytes);
    }
    child_ = std::make_unique<Child>(ReceiveWal());
    came_further_ = steady_clock::now();
    began_ = core::BeginOf(plan.begin, server_.wal.segment_bytes);
    next_look_ = steady_clock::now() + kBeforeReceiving;
  }

  Command ReceiveWal() const {
    const Session session = source_.Replication();
    return {.program = job_.binary_directory + "/pg_receivewal",
            .arguments = {"--no-loop", "--no-password", std::string("--slot=") + kRecoverySlot, "--synchronous",
                          "--directory=" + store_.ReceivingPath(), "--compress=lz4", "--status-interval=1",
                          "--dbname=" + session.conninfo()},
            .environment = CleanEnvironment(),
            .niceness = job_.niceness};
  }

  void Watch() {
    if (child_->Ended()) {
      const ChildResult result = child_->result();
      child_.reset();
      state_.receiving = false;
      const std::string words = ProgramWords(result);
      throw Error(core::sqlstate::kExternalRoutine, "pg_receivewal ended with exit code " +
                                                        std::to_string(result.exit_code) +
                                                        (words.empty() ? "" : ": " + words));
    }
    if (steady_clock::now() < next_look_) return;
    next_look_ = steady_clock::now() + (state_.receiving ? kWhileReceiving : kBeforeReceiving);
    LookAtProgress();
  }

  void LookAtProgress() {
    const ReceiverProgress progress = source_.Progress();
    state_.sent_end = progress.sent_end;
    EndOneThatStands(progress);
    const std::string unreadable = TakeFinished(store_, server_.wal, waiter_);
    if (!unreadable.empty()) state_.gap = "segment " + unreadable;
    state_.receiving = progress.active;
    if (!progress.active) return;
    state_.error.clear();
    state_.received = progress.received;
    if (progress.received > began_) back_off_ = kShortestBackOff;
  }

  /// The process that sends to it cannot end as long as it reads nothing, and a checkpoint that has to give up its slot
  /// would wait for that.
  void EndOneThatStands(const ReceiverProgress& progress) {
    const bool stands = progress.active && progress.received == state_.received && progress.sent_end > state_.received;
    if (!stands) came_further_ = steady_clock::now();
    if (steady_clock::now() - came_further_ < job_.patience) return;
    kill(child_->pid(), SIGKILL);
    child_.reset();
    throw Error(core::sqlstate::kExternalRoutine,
                "pg_receivewal came no further than " + core::FormatLsn(progress.received) + " and was killed");
  }

  void BackOff() {
    state_.receiving = false;
    next_start_ = steady_clock::now() + back_off_;
    back_off_ = std::min(2 * back_off_, kLongestBackOff);
  }

  RecoveryJob job_;
  Waiter& waiter_;
  RecoveryStore store_;
  ReceiverSource source_;
  ReceiverServer server_;
  std::optional<FileLock> lock_;
  std::unique_ptr<Child> child_;  // ends before the lock is given up
  State state_;
  core::Lsn began_ = 0;
  seconds back_off_ = kShortestBackOff;
  steady_clock::time_point next_start_;
  steady_clock::time_point next_look_;
  steady_clock::time_point came_further_;
};

WalReceiver::WalReceiver(RecoveryJob job, Waiter& waiter) : impl_(std::make_unique<Impl>(std::move(job), waiter)) {}

WalReceiver::~WalReceiver() = default;

const WalReceiver::State& WalReceiver::Look() { return impl_->Look(); }

}  // namespace mfi::os
