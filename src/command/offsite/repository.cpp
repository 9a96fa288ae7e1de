#include "command/offsite/repository.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/timestamp.h"
#include "os/base/file.h"
#include "os/base/unforeseen.h"
#include "os/offsite/copies.h"
#include "os/offsite/restic.h"
#include "os/recovery/base_unpack.h"
#include "os/server/operator_session.h"

namespace mfi::command {
namespace {

using core::Error;
using core::Printable;

constexpr std::chrono::seconds kAskLimit{30};

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? "" : value;
}

/// What restic reads of the environment of whoever calls: the keys that the key sheet has him export.
std::vector<std::string> KeysOfEnvironment() {
  constexpr std::array kPrefixes = {"RESTIC_REST_", "RESTIC_CACERT=", "AWS_", "AZURE_", "B2_", "GOOGLE_", "OS_", "ST_"};
  std::vector<std::string> keys;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const auto begins = [&](const char* prefix) { return text.starts_with(prefix); };
    if (std::any_of(kPrefixes.begin(), kPrefixes.end(), begins)) keys.emplace_back(text);
  }
  return keys;
}

void AskServer(os::OffsiteJob& job, CommandHost& host) {
  const std::unique_ptr<os::Connection> server = os::OpenForOperator("", "mfi offsite", kAskLimit, host);
  const auto setting = [&](const std::string& name) {
    return server->Value("SELECT pg_catalog.current_setting('" + name + "', true)");
  };
  job.repository = setting("mfi.offsite_repository");
  if (job.password_file.empty()) job.password_file = setting("mfi.offsite_password_file");
  if (job.environment_file.empty()) job.environment_file = setting("mfi.offsite_environment_file");
  job.system_identifier = server->Value("SELECT system_identifier FROM pg_catalog.pg_control_system()");
}

}  // namespace

std::shared_ptr<RepositoryOptions> AddRepositoryOptions(CLI::App& command) {
  auto options = std::make_shared<RepositoryOptions>();
  command.add_option("--repository", options->repository,
                     "restic's repository (default: RESTIC_REPOSITORY, else mfi.offsite_repository of the server)");
  command.add_option("--password-file", options->password_file,
                     "file with its password (default: RESTIC_PASSWORD_FILE, else mfi.offsite_password_file)");
  command.add_option("--environment-file", options->environment_file,
                     "file with the keys of its storage (default: mfi.offsite_environment_file)");
  return options;
}

os::OffsiteJob RepositoryJob(const RepositoryOptions& options, CommandHost& host) {
  os::OffsiteJob job;
  job.repository = options.repository.empty() ? FromEnvironment("RESTIC_REPOSITORY") : options.repository;
  job.password_file = options.password_file.empty() ? FromEnvironment("RESTIC_PASSWORD_FILE") : options.password_file;
  job.environment_file = options.environment_file;
  job.keys = KeysOfEnvironment();
  if (job.repository.empty()) AskServer(job, host);
  if (job.repository.empty() || job.password_file.empty()) {
    throw Error(core::sqlstate::kInvalidParameterValue,
                job.repository.empty() ? "nothing says where the copies are" : "nothing says where the password is", {},
                "--repository and --password-file name them, or RESTIC_REPOSITORY and RESTIC_PASSWORD_FILE, as on the "
                "key sheet.");
  }
  job.cache_directory = FromEnvironment("RESTIC_CACHE_DIR");
  if (job.cache_directory.empty()) job.cache_directory = "/var/tmp/mfi-restic-" + std::to_string(geteuid());
  return job;
}

FetchedCopy::FetchedCopy(const RepositoryOptions& options, const std::string& tag, const std::string& name,
                         const std::string& scratch, CommandHost& host, std::ostream& out) {
  const os::OffsiteJob job = RepositoryJob(options, host);
  const os::Restic restic(job, host);
  const std::vector<core::Snapshot> snapshots = restic.Snapshots(tag);
  const core::Snapshot* found = nullptr;
  std::string there;
  for (const core::Snapshot& snapshot : snapshots) {
    if (name.empty() || snapshot.name == name) found = &snapshot;
    there = "\n    " + Printable(snapshot.name) + there;
  }
  if (found == nullptr) {
    throw Error(core::sqlstate::kUndefinedObject,
                name.empty() ? "there is no such copy in the repository" : "there is no copy of " + Printable(name), {},
                there.empty() ? "mfi offsite list shows what there is." : "These are there:" + there);
  }
  const std::int64_t bytes = restic.BytesOf(found->id);
  os::CheckRoomFor(scratch, bytes, "the copy that is fetched");
  out << "Fetching " << Printable(found->name) << ", " << core::FormatBytes(bytes) << ", of "
      << core::FormatIso(found->at) << std::endl;
  directory_ = os::MakeUnforeseen(scratch + "/mfi-fetched-");
  try {
    os::FetchCopy(restic, found->id, directory_);
  } catch (...) {
    os::RemoveTree(directory_);
    throw;
  }
  path_ = directory_ + "/" + found->name;
}

FetchedCopy::~FetchedCopy() {
  try {
    os::RemoveTree(directory_);
  } catch (const Error&) {
    // It is in the scratch directory, for whoever looks there.
  }
}

}  // namespace mfi::command
