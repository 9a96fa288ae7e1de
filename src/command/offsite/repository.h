#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "command/base/command_host.h"
#include "core/offsite/restic_output.h"
#include "os/offsite/offsite_job.h"

namespace mfi::command {

/// Where the copies are: as it is asked for, else as restic's own environment says (RESTIC_REPOSITORY,
/// RESTIC_PASSWORD_FILE), else as the server of the environment is set.
struct RepositoryOptions {
  std::string repository;
  std::string password_file;
  std::string environment_file;
};

/// Adds --repository, --password-file and --environment-file to a subcommand.
std::shared_ptr<RepositoryOptions> AddRepositoryOptions(CLI::App& command);

/// Of the options, whatever is silent filled in. Throws Error when nothing says which repository.
os::OffsiteJob RepositoryJob(const RepositoryOptions& options, CommandHost& host);

/// Copies that are fetched, in a directory that goes with the object.
class FetchedCopy {
 public:
  /// `tag`: mfi-set or mfi-recovery; `name`: a set's id, or a node's name; empty: the newest. Tells `out` which it is.
  FetchedCopy(const RepositoryOptions& options, const std::string& tag, const std::string& name,
              const std::string& scratch, CommandHost& host, std::ostream& out);
  ~FetchedCopy();
  FetchedCopy(const FetchedCopy&) = delete;
  FetchedCopy& operator=(const FetchedCopy&) = delete;

  /// What the snapshot holds: a set's directory, or a store's.
  const std::string& path() const { return path_; }

 private:
  std::string directory_;
  std::string path_;
};

}  // namespace mfi::command
