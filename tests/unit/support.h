#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/backup/manifest.h"
#include "core/base/error.h"
#include "os/backup/backup_directory.h"
#include "os/backup/backup_run.h"

// What several tests need: a directory, a host, processes, sample documents.
namespace mfi::test {

/// The Error that `call` throws; the test fails when it throws none.
template <typename Call>
core::Error ErrorOf(const Call& call) {
  try {
    call();
  } catch (const core::Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return {"", ""};
}

/// Whether MFI_LONG asks for the long form of what can be short.
bool IsLongForm();

/// A new directory, removed with the object.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void Write(const std::string& path, std::string_view content);

/// An executable shell script.
void WriteScript(const std::string& path, const std::string& body);

/// Permission bits.
unsigned ModeOf(const std::string& path);

/// Where a symbolic link points; "" when there is none.
std::string TargetOf(const std::string& link);

/// Asks again and again until it is true; false after half a minute.
bool Eventually(const std::function<bool()>& is_so);

/// No such process, or one that only waits to be reaped.
bool IsGone(pid_t pid);

/// A process that runs `body` and exits with its result; killed, if need be, and reaped with the object.
class Forked {
 public:
  explicit Forked(const std::function<int()>& body);
  ~Forked();
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;

  pid_t pid() const { return pid_; }
  void Kill();

  /// Its exit code; 128 + signal when a signal ended it.
  int Wait();

 private:
  pid_t pid_;
};

/// Stands for a SHA-256.
std::string DigestOf(std::string_view content);

/// Waits by poll().
class TestHost : public os::RunHost {
 public:
  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override;
  core::UtcSeconds Now() override { return now; }
  std::string Sha256OfFile(int fd, const std::string& shown) override;
  void Progress(core::RunState state, std::int64_t bytes) override;

  core::UtcSeconds now = 1'780'000'000;
  std::function<bool()> stop_when;  // then Wait throws a cancel
  std::vector<core::RunState> states;
};

/// A run of database `bank`.
core::RunRecord SampleRun(core::UtcSeconds queued_at, core::RunState state = core::RunState::kSucceeded);

/// The manifest of a verified set that holds two files.
core::Manifest SampleManifest(core::UtcSeconds queued_at);

/// Publishes the set of `manifest` with its files.
void PublishSample(const os::BackupDirectory& directory, const core::Manifest& manifest);

inline constexpr char kNode[] = "node-a";
inline constexpr char kSystem[] = "7400000000000000001";

}  // namespace mfi::test
