#include "pg/server/identity.h"

#include <unistd.h>

#include <array>

#include "os/offsite/offsite_run.h"
#include "pg/server/bridge.h"
#include "pg/server/settings.h"

extern "C" {
#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "postmaster/postmaster.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"
}

namespace mfi::pg {

std::string NodeName() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return std::string(host.data()) + "-" + std::to_string(PostPortNumber);
}

std::string SystemIdentifier() { return std::to_string(GetSystemIdentifier()); }

std::string BootstrapSuperuser() {
  return CallPg([] { return GetUserNameFromId(BOOTSTRAP_SUPERUSERID, false); });
}

std::string BinaryDirectory() {
  const std::string path = my_exec_path;
  return path.substr(0, path.rfind('/'));
}

std::vector<std::string> InstallationDirectories() {
  std::array<char, MAXPGPATH> libraries{};
  std::array<char, MAXPGPATH> share{};
  get_lib_path(my_exec_path, libraries.data());
  get_share_path(my_exec_path, share.data());
  return {libraries.data(), pkglib_path, share.data()};
}

std::string SocketDirectory() {
  const char* first = CallPg([]() -> const char* {
    List* directories = NIL;
    char* copy = pstrdup(Unix_socket_directories);
    if (!SplitDirectoriesString(copy, ',', &directories) || directories == NIL) return "localhost";
    return static_cast<const char*>(linitial(directories));
  });
  return first;
}

std::string ScratchDirectory() {
  if (settings::scratch_directory[0] != '\0') return settings::scratch_directory;
  const std::string data = DataDir;
  const std::size_t slash = data.rfind('/');
  return slash == 0 ? "/" : data.substr(0, slash);
}

namespace {

/// Before each file of a directory that somebody may have filled: in a session as everywhere, in the launcher, whose
/// handler only takes a note of SIGTERM, by ending here.
void StopIfAsked() {
  CallPg([] {
    CHECK_FOR_INTERRUPTS();
    if (ShutdownRequestPending) proc_exit(1);
  });
}

}  // namespace

os::BackupDirectory ConfiguredDirectory() { return {settings::backup_directory, NodeName(), StopIfAsked}; }

core::RetentionRule ConfiguredRetention() {
  core::RetentionRule rule{.retain_days = settings::backup_retain_days, .min_keep = settings::backup_min_keep};
  if (settings::offsite_repository[0] == '\0') return rule;
  rule.keep_uncopied = true;
  const core::OffsiteState state =
      os::ReadOffsiteState(os::OffsiteStatePath(settings::backup_directory, settings::recovery_directory, NodeName()));
  if (state.repository == settings::offsite_repository) rule.repository = state.repository_id;
  return rule;
}

std::string ScheduleId() { return std::string(settings::backup_schedule) + " " + settings::ScheduleTimezone(); }

}  // namespace mfi::pg
