#include <sys/stat.h>

#include <ostream>
#include <sstream>
#include <string_view>

#include "command/recovery/recover.h"
#include "command/recovery/recovering.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/base/file.h"

namespace mfi::command {
namespace {

using core::Error;
using core::Printable;

std::string Parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

void CheckTarget(const std::string& cluster) {
  if (cluster.front() != '/') {
    throw Error(core::sqlstate::kInvalidParameterValue, Printable(cluster) + " is not an absolute path");
  }
  if (os::Exists(cluster) && (!os::IsDirectory(cluster) || !os::ListDirectory(cluster).empty())) {
    throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                Printable(cluster) + " is not empty; nothing was changed", {},
                "Choose a directory that does not exist yet, or is empty.");
  }
}

/// What made the base's node follow another, or recover, stays out of the new one.
std::string WithoutUpstream(const std::string& text) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const std::string_view name = std::string_view(line).substr(0, line.find_first_of(" =\t"));
    if (name == "primary_conninfo" || name == "primary_slot_name" || name.starts_with("recovery_target") ||
        name == "restore_command") {
      continue;
    }
    kept += line + "\n";
  }
  return kept;
}

/// Gives the node the configuration that its base had in its data directory.
void PutBackConfiguration(const std::string& from, const std::string& data) {
  for (const char* name : {"postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf"}) {
    const std::string path = data + "/" + name;
    os::RemoveTree(path);
    if (!os::Exists(from + "/" + name)) continue;
    std::string text = os::ReadFile(from + "/" + name);
    if (std::string_view(name).ends_with("auto.conf")) text = WithoutUpstream(text);
    os::WriteFileAtomically(path, text, 0600);
  }
}

/// `cluster`: where `data` will be.
void CopyOutsideConfiguration(const Recovering& recovering, const std::string& data, const std::string& cluster,
                              std::ostream& out) {
  const core::BaseRecord& base = recovering.base();
  if (base.configuration.empty()) return;
  const std::string name_of_copies = "/configuration_of_" + base.node;
  const std::string target = data + name_of_copies;
  os::MakeDirectory(target, 0700);
  for (const std::string& name : base.configuration) {
    os::WriteFileAtomically(target + "/" + name,
                            os::ReadFile(recovering.store().BasePath(base.id) + "/configuration/" + name), 0600);
  }
  out << "The old node had its configuration elsewhere: copies are in " << Printable(cluster + name_of_copies)
      << std::endl;
}

}  // namespace

void RecoverCluster(const RecoverOptions& options, std::ostream& out) {
  CommandHost host;
  const RecoveryTarget target = TargetOf(options, host.Now());
  std::string cluster = options.cluster;
  while (cluster.size() > 1 && cluster.back() == '/') cluster.pop_back();
  CheckTarget(cluster);
  const std::string path = PathOfStores(options.store);
  if (path.empty()) {
    throw Error(core::sqlstate::kInvalidParameterValue, "say which store the node is built from", {},
                "--store names mfi.recovery_directory of the old node, or a copy of it.");
  }
  Recovering recovering(target, path, {}, Parent(cluster), {}, host, out);
  recovering.Run();
  recovering.server().StopForGood();
  const std::string data = recovering.server().place().DataDirectory();
  PutBackConfiguration(recovering.server().ConfigurationPath(), data);
  CopyOutsideConfiguration(recovering, data, cluster, out);
  if (!os::ListDirectory(data + "/pg_tblspc").empty()) {
    out << "Tablespaces are inside of the new node: " << Printable(cluster) << "/pg_tblspc" << std::endl;
  }
  out << "Writing everything to disk" << std::endl;
  os::BeginWriteback(data);  // all of it at once: one file after the other takes twice as long
  os::FsyncTree(data);
  os::Rename(data, cluster);
  os::FsyncDirectory(Parent(cluster));
  out << "The node is in " << Printable(cluster) << ", as it was at " << target.Words()
      << ". To start it:\n  pg_ctl -D " << Printable(cluster) << " start" << std::endl;
}

}  // namespace mfi::command
