#include "os/backup/record_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/names.h"
#include "os/base/directory.h"
#include "os/process/private_log.h"

namespace mfi::os {
namespace {

using core::RunRecord;
using core::RunState;

constexpr char kSuffix[] = ".json";
constexpr char kTemporarySuffix[] = ".tmp";
constexpr char kInterrupted[] =
    "interrupted: the process that ran it is gone (server crash, kill or power loss); nothing was published";

std::string RecordPath(const std::string& directory, const std::string& id) { return directory + "/" + id + kSuffix; }

/// The id a file name with this ending stands for; nullopt for foreign files.
std::optional<std::string> IdOf(const std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  std::string id = name.substr(0, name.size() - suffix.size());
  if (!core::IsRunId(id)) return std::nullopt;
  return id;
}

bool SameFile(int fd, const std::string& path) {
  struct stat open_file {};
  struct stat named_file {};
  return fstat(fd, &open_file) == 0 && lstat(path.c_str(), &named_file) == 0 && open_file.st_ino == named_file.st_ino &&
         open_file.st_dev == named_file.st_dev;
}

/// nullopt when the file vanished or is not the record of that run.
std::optional<StoredRun> TryRead(const std::string& path, const std::string& id, Reading& reading) {
  for (;;) {
    UniqueFd fd;
    StoredRun run;
    try {
      fd = OpenRegular(AT_FDCWD, path, path);
      const std::string text = ReadAll(fd.get(), path, core::kMaxRecordBytes);
      reading.Took(static_cast<std::int64_t>(text.size()));
      run.record = core::ParseRunRecord(text);
    } catch (const core::Error&) {
      return std::nullopt;
    }
    if (run.record.id != id) return std::nullopt;
    if (core::IsFinal(run.record.state)) return run;
    run.alive = flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    // A record saved between open and here has its lock on another file.
    if (!SameFile(fd.get(), path)) continue;
    if (!run.alive) {
      run.interrupted = true;
      run.record.state = RunState::kFailed;
      run.record.error = kInterrupted;
    }
    return run;
  }
}

}  // namespace

LockedRecord::LockedRecord(std::string runs_directory, RunRecord record)
    : directory_(std::move(runs_directory)), record_(std::move(record)) {}

void LockedRecord::Save() {
  const std::string path = RecordPath(directory_, record_.id);
  std::string temporary = directory_;
  temporary.append("/.").append(record_.id).append(".").append(std::to_string(getpid())).append(kTemporarySuffix);
  WriteFileAtomically(temporary, core::ToJson(record_), 0600);
  UniqueFd lock(open(temporary.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!lock.valid()) ThrowErrno(errno, "open", temporary);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) ThrowErrno(errno, "lock", temporary);
  Rename(temporary, path);
  lock_ = std::move(lock);
}

std::vector<StoredRun> ReadRuns(const std::string& runs_directory, Reading& reading) {
  std::vector<StoredRun> runs;
  if (!IsDirectory(runs_directory)) return runs;
  std::vector<std::string> names = ListDirectory(runs_directory);
  std::reverse(names.begin(), names.end());  // the newest first, because a name ends in its time
  for (const std::string& name : names) {
    const std::optional<std::string> id = IdOf(name, kSuffix);
    if (!id) continue;
    if (!reading.Next()) break;
    if (auto run = TryRead(runs_directory + "/" + name, *id, reading)) runs.push_back(std::move(*run));
  }
  std::reverse(runs.begin(), runs.end());
  std::stable_sort(runs.begin(), runs.end(),
                   [](const StoredRun& a, const StoredRun& b) { return a.record.queued_at < b.record.queued_at; });
  return runs;
}

StoredRun ReadRun(const std::string& runs_directory, const std::string& id) {
  if (core::IsRunId(id)) {
    Reading alone;
    if (auto run = TryRead(RecordPath(runs_directory, id), id, alone)) return std::move(*run);
  }
  throw core::Error("42704", "there is no backup run \"" + id + "\"", {},
                    "SELECT id, state FROM mfi_backups lists them.");
}

bool HasRecord(const std::string& runs_directory, const std::string& id) {
  return Exists(RecordPath(runs_directory, id));
}

void ForgetOldRuns(const std::string& runs_directory, core::UtcSeconds before, Reading& reading) {
  for (const StoredRun& run : ReadRuns(runs_directory, reading)) {
    const bool has_set = run.record.state == RunState::kSucceeded;
    if (run.alive || has_set || run.record.queued_at >= before) continue;
    RemoveTree(RecordPath(runs_directory, run.record.id));
  }
  // A log goes after its record; it may be of a set that has none.
  for (const std::string& name : ListDirectory(runs_directory)) {
    const std::string path = runs_directory + "/" + name;
    struct stat file {};
    const bool old = lstat(path.c_str(), &file) == 0 && file.st_mtime < before;
    const bool log_alone = IdOf(name, kPrivateLogSuffix) && !HasRecord(runs_directory, *IdOf(name, kPrivateLogSuffix));
    if (old && (log_alone || (name[0] == '.' && name.ends_with(kTemporarySuffix)))) RemoveTree(path);
  }
}

}  // namespace mfi::os
