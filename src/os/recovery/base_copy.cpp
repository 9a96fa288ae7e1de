#include "os/recovery/base_copy.h"

#include <optional>

#include "core/base/error.h"
#include "core/recovery/backup_manifest.h"
#include "os/process/child.h"
#include "os/process/niceness.h"
#include "os/process/private_log.h"

namespace mfi::os {
namespace {

std::vector<std::string> Arguments(const BaseSource& source, const std::string& id, const std::string& into,
                                   const std::string& parent) {
  std::vector<std::string> arguments = {"--dbname=" + source.Replication().conninfo(),
                                        "--pgdata=" + into,
                                        "--format=tar",
                                        "--compress=client-zstd:1",
                                        "--wal-method=none",
                                        "--checkpoint=fast",
                                        "--manifest-checksums=SHA256",
                                        "--label=mfi base " + id,
                                        "--no-password",
                                        "--no-sync"};
  if (!parent.empty()) arguments.push_back("--incremental=" + parent + "/" + core::kBackupManifestName);
  return arguments;
}

/// The work is done by its server process, which runs as our own user: that is known a moment after the start.
class NiceBackends {
 public:
  NiceBackends(const BaseSource& source, int niceness) : source_(source), niceness_(niceness) {}

  void Look(std::int64_t bytes) {
    if (niceness_ == 0 || bytes == 0) return;
    if (!pids_) pids_ = source_.Backends();
    std::erase_if(*pids_, [&](pid_t pid) { return Renice(pid, niceness_); });
  }

 private:
  const BaseSource& source_;
  int niceness_;
  std::optional<std::vector<pid_t>> pids_;
};

}  // namespace

BaseCopy CopyBase(const RecoveryJob& job, const BaseSource& source, const std::string& id, const std::string& into,
                  const std::string& parent, BaseLimit& limit, const std::function<void(std::int64_t)>& look) {
  limit.SetDoing("was received");
  Child child(
      {job.binary_directory + "/pg_basebackup", Arguments(source, id, into, parent), CleanEnvironment(), job.niceness});
  NiceBackends nice(source, job.niceness);
  while (!child.WaitPiece(limit)) {
    const std::int64_t bytes = Exists(into) ? TreeSize(into) : 0;
    look(bytes);
    BeginWriteback(into);
    nice.Look(bytes);
  }
  if (child.result().exit_code == 0) return {.done = true};
  const core::BaseRefusal refusal = core::RefusalOf(child.result().errors);
  const std::string words = ProgramWords(child.result());
  RemoveTree(into);
  if (!parent.empty() && refusal != core::BaseRefusal::kOther) return {false, refusal, words};
  throw core::Error(core::sqlstate::kExternalRoutine, "pg_basebackup failed with exit code " +
                                                          std::to_string(child.result().exit_code) +
                                                          (words.empty() ? "" : ": ") + words);
}

}  // namespace mfi::os
