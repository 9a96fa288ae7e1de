#include "os/offsite/restic.h"

#include <fstream>
#include <utility>

#include "core/base/timestamp.h"
#include "core/offsite/environment_file.h"
#include "os/base/find_program.h"
#include "os/offsite/secret_file.h"

namespace mfi::os {
namespace {

using std::chrono::steady_clock;

constexpr std::int64_t kMaxPasswordBytes = 65536;
constexpr std::size_t kKeptOutput = std::size_t{16} * 1024 * 1024;

/// Bytes that a process has read and written, whatever they were.
std::int64_t BytesMoved(pid_t pid) {
  std::ifstream io("/proc/" + std::to_string(pid) + "/io");
  std::int64_t moved = 0;
  for (std::string name; io >> name;) {
    std::int64_t bytes = 0;
    io >> bytes;
    if (name == "rchar:" || name == "wchar:") moved += bytes;
  }
  return moved;
}

std::string Hint(core::ResticFault fault) {
  switch (fault) {
    case core::ResticFault::kNoRepository:
      return "Make it once, with the same environment: restic init.";
    case core::ResticFault::kPassword:
      return "mfi.offsite_password_file has to hold the password with which the repository was made.";
    case core::ResticFault::kLocked:
      return "Whoever works on it lets it go; where nobody does any more: restic unlock.";
    case core::ResticFault::kOther:
      break;
  }
  return "It is tried again by itself; as the server's user, restic snapshots shows the same error.";
}

}  // namespace

std::string ClusterTag(const std::string& system_identifier) { return "system-" + system_identifier; }

Restic::Restic(const OffsiteJob& job, Waiter& waiter)
    : job_(job), waiter_(waiter), program_(FindProgram("restic")), environment_(CleanEnvironment()) {
  ReadSecretFile(job.password_file, "the password file", kMaxPasswordBytes);
  environment_.insert(environment_.end(), job.keys.begin(), job.keys.end());
  environment_.push_back("RESTIC_REPOSITORY=" + job.repository);
  environment_.push_back("RESTIC_PASSWORD_FILE=" + job.password_file);
  environment_.push_back("RESTIC_CACHE_DIR=" + job.cache_directory);
  if (job.environment_file.empty()) return;
  for (std::string& variable : core::ParseEnvironment(
           ReadSecretFile(job.environment_file, "the environment file", core::kMaxEnvironmentBytes))) {
    environment_.push_back(std::move(variable));
  }
}

ChildResult Restic::RunLimited(std::vector<std::string> arguments, const Place& place,
                               std::chrono::seconds limit) const {
  if (job_.limit_upload_kib > 0) arguments.push_back("--limit-upload=" + std::to_string(job_.limit_upload_kib));
  Child child({.program = program_,
               .arguments = std::move(arguments),
               .environment = environment_,
               .niceness = job_.niceness,
               .kept_output = kKeptOutput,
               .input = place.input,
               .end_signal = SIGINT,
               .directory = place.directory});
  const steady_clock::time_point began = steady_clock::now();
  steady_clock::time_point moved_at = began;
  std::int64_t moved = 0;
  bool ended = false;
  while (!child.WaitPiece(waiter_)) {
    const auto now = steady_clock::now();
    if (const std::int64_t bytes = BytesMoved(child.pid()); bytes != moved) {
      moved = bytes;
      moved_at = now;
    }
    // restic 0.18 waits for ever for an upload that it has given up, such as the last one to a server that is full.
    const auto patience = core::HasGivenUp(child.errors()) ? job_.last_words : job_.standstill;
    if (ended || (now < moved_at + patience && (limit.count() == 0 || now < began + limit))) continue;
    child.End();
    ended = true;
  }
  ChildResult result = child.result();
  if (ended && result.exit_code == 0) result.exit_code = 128 + SIGINT;
  return result;
}

ChildResult Restic::Try(std::vector<std::string> arguments, const Place& place) const {
  return RunLimited(std::move(arguments), place, std::chrono::seconds{0});
}

std::string Restic::Run(std::vector<std::string> arguments, const Place& place) const {
  ChildResult result = Try(std::move(arguments), place);
  if (result.exit_code != 0) Fail(result);
  return std::move(result.output);
}

std::int64_t Restic::BytesOf(const std::string& snapshot) const {
  return core::ParseRestoreSize(Run({"stats", "--json", "--no-lock", "--mode=restore-size", snapshot}));
}

void Restic::Fail(const ChildResult& result) const {
  const core::ResticError error = core::ParseResticError(result.exit_code, result.errors);
  throw ResticFailure(error.fault, error.words, Hint(error.fault));
}

std::string Restic::Contact() const {
  const ChildResult result = RunLimited({"cat", "config", "--no-lock"}, {}, job_.contact_limit);
  if (result.exit_code != 0) Fail(result);
  return core::ParseRepositoryId(result.output);
}

std::vector<core::Snapshot> Restic::Snapshots(const std::string& tag) const {
  const std::string tags = job_.system_identifier.empty() ? tag : tag + "," + ClusterTag(job_.system_identifier);
  return core::ParseSnapshots(Run({"snapshots", "--json", "--no-lock", "--tag=" + tags}));
}

}  // namespace mfi::os
