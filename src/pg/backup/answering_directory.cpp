#include "pg/backup/answering_directory.h"

#include <chrono>
#include <string>

#include "core/base/error.h"
#include "os/process/child.h"
#include "pg/server/bridge.h"
#include "pg/server/identity.h"
#include "pg/server/settings.h"
#include "pg/server/workers.h"

namespace mfi::pg {
namespace {

/// A verdict is given within two seconds. Whoever wants something of the directory would rather wait for a busy
/// machine.
constexpr std::chrono::milliseconds kVerdictWaits{1700};
constexpr std::chrono::milliseconds kOthersWait{8000};
constexpr char kFind[] = "/usr/bin/find";

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

bool AnswersWithin(std::chrono::milliseconds limit) {
  if (settings::backup_directory[0] == '\0') return true;
  if (access(kFind, X_OK) != 0) return true;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  // The first file that it meets is enough: a mount that hangs does so for all.
  os::Child child({.program = kFind,
                   .arguments = {settings::backup_directory, "-maxdepth", "2", "-name", "*.json", "-type", "f", "-exec",
                                 "head", "-c", "1", "{}", ";", "-quit"},
                   .environment = OwnEnvironment(),
                   .end_signal = SIGKILL});
  SessionWaiter waiter;
  while (!child.WaitPiece(waiter)) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
  }
  return true;
}

}  // namespace

bool BackupDirectoryAnswers() { return AnswersWithin(kVerdictWaits); }

os::BackupDirectory AnsweringDirectory() {
  if (!AnswersWithin(kOthersWait)) {
    throw core::Error("58030",
                      std::string("the backup directory \"") + settings::backup_directory + "\" does not answer",
                      "Its file system did not list it and give one byte of a file in time. Nothing was changed.",
                      "Look at the mount (a network share whose server is gone?), then call it again.");
  }
  return ConfiguredDirectory();
}

}  // namespace mfi::pg
