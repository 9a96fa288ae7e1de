#include "pg/backup/runner_watch.h"

#include <utility>

#include "pg/server/bridge.h"
#include "pg/server/workers.h"

extern "C" {
#include "postmaster/bgworker.h"
}

namespace mfi::pg {

bool RunnerWatch::Busy() const { return starting_ || Current().state != RunnerState::kNone; }

RunnerWatch::Ends RunnerWatch::Look() {
  const CurrentRun current = Current();
  const bool in_progress = current.state != RunnerState::kNone;
  std::string running;
  std::uint64_t verifying = 0;
  if (in_progress) {
    if (const auto* backup = std::get_if<BackupRequest>(&current.request)) running = backup->id;
    if (const auto* verification = std::get_if<VerifyRequest>(&current.request)) verifying = verification->ticket;
  }
  if (verifying_ != 0 && verifying_ != verifying) {
    AnswerUnlessAnswered(verifying_, "its process ended without an answer (see the server's log)");
  }
  verifying_ = verifying;
  Ends ends{.a_run = was_running_ && !in_progress};
  was_running_ = in_progress;
  std::swap(running_, running);
  if (running != running_) ends.backup = running;
  LookAtProcess(ends);
  return ends;
}

void RunnerWatch::LookAtProcess(Ends& ends) {
  if (process_ == nullptr) return;
  BackgroundWorkerHandle* handle = process_;
  const BgwHandleStatus status = CallPg([&] {
    pid_t pid = 0;
    return GetBackgroundWorkerPid(handle, &pid);
  });
  if (status != BGWH_STOPPED) return;
  const bool never_began = TakeBack();
  CallPg([&] { pfree(handle); });
  process_ = nullptr;
  ends.a_process = true;
  if (never_began) {
    running_.clear();
    ends.not_begun = std::move(starting_);
  }
  starting_.reset();
}

std::optional<WaitingRequest> RunnerWatch::Start(WaitingRequest request) {
  HandOver(request.request);
  starting_ = std::move(request);
  process_ = CallPg([] { return StartWorker("mfi runner", "mfi_runner_main", WorkerKind::kWithDatabase); });
  if (process_ != nullptr) return std::nullopt;
  TakeBack();
  return std::exchange(starting_, std::nullopt);
}

}  // namespace mfi::pg
