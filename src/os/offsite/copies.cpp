#include "os/offsite/copies.h"

#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "core/offsite/repository_address.h"

namespace mfi::os {
namespace {

constexpr int kIncomplete = 3;  // restic's exit code when it could not read all files
constexpr int kTries = 5;       // of a store, in which files move meanwhile

/// Quiet, so that it prints no progress for as long as it stands still.
std::vector<std::string> CopyArguments(const Restic& restic, const std::string& tag) {
  std::vector<std::string> arguments = {"backup", "--json", "--quiet",
                                        "--tag=" + tag + "," + ClusterTag(restic.job().system_identifier),
                                        "--host=" + restic.job().node};
  for (std::string& option : core::UploadOptions(restic.job().repository)) arguments.push_back(std::move(option));
  return arguments;
}

/// `2026-11-27 04:38:12`, in this process's zone, as restic reads it; with TZ=UTC it is UTC.
std::string ResticTime(core::UtcSeconds at) {
  std::string text = core::FormatIso(at);
  text[10] = ' ';
  return text.substr(0, 19);
}

}  // namespace

core::CopySummary CopySet(const Restic& restic, const std::string& backup_directory, const core::Manifest& manifest) {
  std::vector<std::string> arguments = CopyArguments(restic, kSetTag);
  if (manifest.run.finished_at) arguments.push_back("--time=" + ResticTime(*manifest.run.finished_at));
  arguments.push_back(manifest.run.id);
  core::CopySummary copy = core::ParseCopySummary(restic.Run(std::move(arguments), {.directory = backup_directory}));
  std::int64_t bytes = 0;
  for (const core::ManifestFile& file : manifest.files) bytes += file.bytes;
  const auto files = static_cast<std::int64_t>(manifest.files.size()) + 1;
  if (copy.files >= files && copy.bytes > bytes) return copy;
  throw core::Error(core::sqlstate::kDataCorrupted,
                    "of the set " + manifest.run.id + " " + std::to_string(copy.files) + " files of " +
                        core::FormatBytes(copy.bytes) + " were copied, its manifest names " + std::to_string(files) +
                        ", of " + core::FormatBytes(bytes) + " without itself",
                    {}, "SELECT mfi_backup_verify('" + manifest.run.id + "') tells what it lacks.");
}

core::CopySummary CopyStore(const Restic& restic, const std::string& recovery_directory, const std::string& node) {
  std::vector<std::string> arguments = CopyArguments(restic, kRecoveryTag);
  // Locks, and a base that is being made.
  for (const char* left_out : {"/.run", "/.receiver", "/base/.*"}) {
    arguments.push_back("--exclude=" + recovery_directory + "/" + node + left_out);
  }
  arguments.push_back(node);
  for (int tries = 1;; ++tries) {
    const ChildResult result = restic.Try(arguments, {.directory = recovery_directory});
    if (result.exit_code == 0) return core::ParseCopySummary(result.output);
    if (result.exit_code != kIncomplete || tries == kTries) restic.Fail(result);
  }
}

void TakeUpInterrupted(const Restic& restic) {
  ChildResult result = restic.Try({"repair", "index"});
  // restic 0.14 has it under its older name.
  if (result.errors.find("unknown command") != std::string::npos) result = restic.Try({"rebuild-index"});
  if (core::ParseResticError(result.exit_code, result.errors).fault == core::ResticFault::kLocked) restic.Fail(result);
}

void FetchCopy(const Restic& restic, const std::string& snapshot, const std::string& directory) {
  // What a cache has would hide what the repository has lost.
  restic.Run({"restore", "--no-lock", "--no-cache", "--target=" + directory, snapshot});
}

}  // namespace mfi::os
