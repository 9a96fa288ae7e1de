#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/offsite/restic_output.h"
#include "os/base/waiter.h"
#include "os/offsite/offsite_job.h"
#include "os/process/child.h"

namespace mfi::os {

/// What restic could not do, in its own words, with the next step as the hint.
class ResticFailure : public core::Error {
 public:
  ResticFailure(core::ResticFault fault, const std::string& words, const std::string& hint)
      : Error(core::sqlstate::kExternalRoutine, words, {}, hint), fault_(fault) {}

  core::ResticFault fault() const { return fault_; }

 private:
  core::ResticFault fault_;
};

/// restic on one repository. No secret is in an argument: the password is read from its file by restic itself, keys
/// come by its environment.
class Restic {
 public:
  /// Throws Error when restic is not installed, or one of the secret files is missing or readable for others.
  Restic(const OffsiteJob& job, Waiter& waiter);

  /// Where it runs, and what it reads from its standard input.
  struct Place {
    std::string directory = {};
    std::string input = {};
  };

  /// Runs it to the end, as long as it comes further. Throws ResticFailure unless it succeeds.
  std::string Run(std::vector<std::string> arguments, const Place& place) const;
  std::string Run(std::vector<std::string> arguments) const { return Run(std::move(arguments), {}); }

  /// The same with its exit code, for who knows what a failure means.
  ChildResult Try(std::vector<std::string> arguments, const Place& place) const;
  ChildResult Try(std::vector<std::string> arguments) const { return Try(std::move(arguments), {}); }

  /// The name that the repository has given itself. Throws ResticFailure when it does not answer within the job's
  /// limit.
  std::string Contact() const;

  /// All snapshots with this tag and the cluster's, oldest first; of all clusters where the job names none. Throws
  /// ResticFailure.
  std::vector<core::Snapshot> Snapshots(const std::string& tag) const;

  /// Of the files that a snapshot holds. Throws ResticFailure.
  std::int64_t BytesOf(const std::string& snapshot) const;

  [[noreturn]] void Fail(const ChildResult& result) const;

  const OffsiteJob& job() const { return job_; }

 private:
  ChildResult RunLimited(std::vector<std::string> arguments, const Place& place, std::chrono::seconds limit) const;

  const OffsiteJob& job_;
  Waiter& waiter_;
  std::string program_;
  std::vector<std::string> environment_;
};

// Tags of snapshots: what it is, and of which cluster.
inline constexpr char kSetTag[] = "mfi-set";
inline constexpr char kRecoveryTag[] = "mfi-recovery";
inline constexpr char kProbeTag[] = "mfi-probe";
std::string ClusterTag(const std::string& system_identifier);

}  // namespace mfi::os
