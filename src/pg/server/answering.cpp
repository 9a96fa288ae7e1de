#include "pg/server/answering.h"

#include <algorithm>
#include <vector>

#include "pg/server/bridge.h"
#include "pg/server/workers.h"

extern "C" {
#include "access/xact.h"
#include "utils/timestamp.h"
}

namespace mfi::pg {
namespace {

constexpr char kFind[] = "/usr/bin/find";
constexpr std::chrono::milliseconds kAtLeast{300};  // of the time for a verdict, where the statement has used it up

/// When the statement that asks began; of a long one, which asks more than once, now.
std::chrono::steady_clock::time_point AskedAt() {
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::microseconds gone(GetCurrentTimestamp() - GetCurrentStatementStartTimestamp());
  if (gone < gone.zero() || gone > kVerdictWaits) return now;
  return now - std::min<std::chrono::microseconds>(gone, kVerdictWaits - kAtLeast);
}

class SessionWaiter : public os::Waiter {
 public:
  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override {
    CallPg([&] { WaitOnLatch(static_cast<long>(limit.count()), fd, for_write); });
  }
};

std::vector<std::string> OwnEnvironment() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  return all;
}

}  // namespace

AnswerProbe::AnswerProbe(const std::string& directory) : began_(AskedAt()) {
  if (directory.empty() || access(kFind, X_OK) != 0) return;
  // The first file that it meets is enough: a mount that hangs does so for all.
  child_ =
      std::make_unique<os::Child>(os::Command{.program = kFind,
                                              .arguments = {directory, "-maxdepth", "2", "-name", "*.json", "-type",
                                                            "f", "-exec", "head", "-c", "1", "{}", ";", "-quit"},
                                              .environment = OwnEnvironment(),
                                              .end_signal = SIGKILL});
}

bool AnswerProbe::AnswersWithin(std::chrono::milliseconds limit) {
  if (child_ == nullptr) return true;
  SessionWaiter waiter;
  while (!child_->Ended()) {
    if (std::chrono::steady_clock::now() >= began_ + limit) return false;
    child_->WaitPiece(waiter);
  }
  return true;
}

bool DirectoryAnswers(const std::string& directory, std::chrono::milliseconds limit) {
  return AnswerProbe(directory).AnswersWithin(limit);
}

}  // namespace mfi::pg
