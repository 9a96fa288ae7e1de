#include "os/backup/verification.h"

#include <algorithm>

#include "core/base/names.h"
#include "core/base/timestamp.h"
#include "os/base/directory_owner.h"
#include "os/process/private_log.h"
#include "os/restore/restore_proof.h"

namespace mfi::os {
namespace {

using core::Error;

/// Waits as the run does, but not longer than a proof may take.
class ProofLimit : public Waiter {
 public:
  ProofLimit(Waiter& waiter, std::chrono::seconds limit)
      : waiter_(waiter), limit_(limit), deadline_(std::chrono::steady_clock::now() + limit) {}

  void Wait(int fd, bool for_write, std::chrono::milliseconds limit) override {
    waiter_.Wait(fd, for_write, limit);
    if (std::chrono::steady_clock::now() < deadline_) return;
    throw Error(core::sqlstate::kExternalRoutine,
                "the verification took longer than mfi.proof_timeout (" + std::to_string(limit_.count()) + " s)");
  }

 private:
  Waiter& waiter_;
  std::chrono::seconds limit_;
  std::chrono::steady_clock::time_point deadline_;
};

std::string ReadArchive(const BackupJob& job, const std::string& archive, Waiter& waiter) {
  const ChildResult result = RunCommand(
      {job.binary_directory + "/pg_restore", {"--file=/dev/null", archive}, CleanEnvironment(), job.niceness}, waiter);
  if (result.exit_code == 0) return "ok";
  return "the archive cannot be read to its end: " + ProgramWords(result);
}

/// Throws Error(53100) when the scratch directory has not enough room for the restored database.
void CheckRoom(const BackupJob& job, const core::Manifest& manifest) {
  const std::int64_t free = FreeSpace(job.scratch_directory);
  CheckScratchParent(job.scratch_directory);
  const std::int64_t needed = RoomForProof(manifest);
  if (free >= needed) return;
  throw Error(core::sqlstate::kDiskFull, "\"" + job.scratch_directory + "\" has " + core::FormatBytes(free) +
                                             " free, a restore needs " + core::FormatBytes(needed));
}

}  // namespace

Verification VerifyPublished(const BackupJob& job, const core::Manifest& manifest, RunHost& host) {
  if (job.verify == core::VerifyMethod::kNone) return {.method = job.verify, .result = {}, .remark = {}};
  const std::string set_path = job.directory + "/" + manifest.run.id;
  const std::string archive = job.directory + "/" + manifest.run.path;
  Verification done{.method = job.verify, .result = {}, .remark = {}};
  if (job.verify == core::VerifyMethod::kRestore) {
    try {
      CheckRoom(job, manifest);
      done.sandbox = Sandbox(job.sandbox).Lacking();
      if (done.sandbox.empty()) done.sandbox = core::kWholeSandbox;
      const ScratchOptions scratch{.binary_directory = job.binary_directory,
                                   .directory = ScratchPath(job.scratch_directory, job.record.node),
                                   .superuser = {},
                                   .niceness = job.niceness,
                                   .server_major = job.server_major,
                                   .preload = job.preload,
                                   .settings = job.preload_settings,
                                   .sandbox = job.sandbox};
      ProofLimit limit(host, job.proof_timeout);
      Proof proof = ProveByRestore({.scratch = scratch, .jobs = std::max(2, job.jobs)}, manifest, set_path, limit);
      done.result = std::move(proof.result);
      done.remark = std::move(proof.remark);
      return done;
    } catch (const core::Stop&) {
      throw;
    } catch (const Error& error) {
      done.remark = std::string("the backup could not be proven: ") + error.what();
    }
  }
  ProofLimit limit(host, job.proof_timeout);
  const std::string readable = ReadArchive(job, archive, limit);
  if (job.verify == core::VerifyMethod::kList || readable != "ok") {
    done.method = core::VerifyMethod::kList;
    done.result = readable;
  }
  return done;
}

}  // namespace mfi::os
