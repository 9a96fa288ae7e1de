#include "pg/offsite/offsite_settings.h"

#include "core/offsite/keep_rule.h"
#include "pg/server/identity.h"
#include "pg/server/settings.h"

namespace mfi::pg {

bool OffsiteIsOn() { return settings::offsite_repository[0] != '\0'; }

std::string OffsiteTarget() {
  if (!OffsiteIsOn()) return {};
  std::string target;
  for (const char* setting :
       {settings::offsite_repository, settings::offsite_password_file, settings::offsite_environment_file,
        settings::backup_directory, settings::recovery_directory, settings::scratch_directory}) {
    target.append(setting).push_back('\n');
  }
  return target + std::to_string(settings::offsite_limit_upload_kib);
}

os::OffsiteJob MakeOffsiteJob() {
  os::OffsiteJob job;
  job.repository = settings::offsite_repository;
  job.password_file = settings::offsite_password_file;
  job.environment_file = settings::offsite_environment_file;
  job.limit_upload_kib = settings::offsite_limit_upload_kib;
  job.niceness = settings::backup_nice;
  job.node = NodeName();
  job.cache_directory = ScratchDirectory() + "/mfi-offsite-cache-" + job.node;
  job.system_identifier = SystemIdentifier();
  return job;
}

std::string ConfiguredOffsiteState() {
  return os::OffsiteStatePath(settings::backup_directory, settings::recovery_directory, NodeName());
}

std::string ConfiguredOffsiteDrills() {
  if (settings::backup_directory[0] == '\0') return {};
  return std::string(settings::backup_directory) + "/.offsite/drills";
}

os::OffsiteSource MakeOffsiteSource() {
  os::OffsiteSource source;
  source.backup_directory = settings::backup_directory;
  source.database = settings::database;
  source.recovery_directory = settings::recovery_directory;
  source.keep = core::ParseKeepRule(settings::offsite_keep);
  source.state_path = ConfiguredOffsiteState();
  return source;
}

}  // namespace mfi::pg
