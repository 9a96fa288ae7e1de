#include "command/offsite/offsite_actions.h"

#include <memory>
#include <ostream>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/timestamp.h"
#include "core/offsite/environment_file.h"
#include "core/offsite/key_sheet.h"
#include "os/offsite/restic.h"
#include "os/offsite/secret_file.h"
#include "os/server/operator_session.h"

namespace mfi::command {
namespace {

using core::Printable;

constexpr std::chrono::seconds kAskLimit{30};

}  // namespace

void ListCopies(const RepositoryOptions& options, std::ostream& out) {
  CommandHost host;
  const os::OffsiteJob job = RepositoryJob(options, host);
  const os::Restic restic(job, host);
  for (const char* tag : {os::kSetTag, os::kRecoveryTag}) {
    const bool sets = tag == std::string(os::kSetTag);
    out << (sets ? "Backups, restored by mfi restore --offsite ID:\n"
                 : "Recovery stores, recovered from by mfi recover --offsite:\n");
    const std::vector<core::Snapshot> snapshots = restic.Snapshots(tag);
    for (const core::Snapshot& snapshot : snapshots) {
      out << "  " << core::FormatIso(snapshot.at) << "  " << snapshot.id.substr(0, 8) << "  "
          << Printable(snapshot.name) << (sets ? ", of " + Printable(snapshot.host) : "") << "\n";
    }
    if (snapshots.empty()) out << "  none\n";
  }
}

void CheckRepository(const RepositoryOptions& options, std::ostream& out) {
  CommandHost host;
  const os::OffsiteJob job = RepositoryJob(options, host);
  const os::Restic restic(job, host);
  out << "Reading all of " << Printable(job.repository) << ", which may take long" << std::endl;
  const os::ChildResult result = restic.Try({"check", "--read-data"});
  if (result.exit_code != 0) restic.Fail(result);
  out << "Nothing is damaged" << std::endl;
}

void PrintKeySheet(const RepositoryOptions& options, std::ostream& out) {
  CommandHost host;
  os::OffsiteJob job = RepositoryJob(options, host);
  const std::unique_ptr<os::Connection> server = os::OpenForOperator("", "mfi offsite", kAskLimit, host);
  core::KeySheet sheet;
  sheet.repository = job.repository;
  sheet.password_file = job.password_file;
  sheet.database = server->Value("SELECT pg_catalog.current_setting('mfi.database')");
  sheet.system_identifier = server->Value("SELECT system_identifier FROM pg_catalog.pg_control_system()");
  sheet.server_version =
      server->Value("SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000");
  sheet.segment_bytes =
      std::stoll(server->Value("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'"));
  sheet.printed_at = host.Now();
  if (!job.environment_file.empty()) {
    for (const std::string& variable : core::ParseEnvironment(
             os::ReadSecretFile(job.environment_file, "the environment file", core::kMaxEnvironmentBytes))) {
      sheet.variables.push_back(variable.substr(0, variable.find('=')));
    }
  }
  job.system_identifier = sheet.system_identifier;
  sheet.has_store = !os::Restic(job, host).Snapshots(os::kRecoveryTag).empty();
  out << core::FormatKeySheet(sheet);
}

}  // namespace mfi::command
