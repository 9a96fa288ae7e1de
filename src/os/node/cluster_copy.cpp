#include "os/node/cluster_copy.h"

#include <vector>

#include "os/node/server_program.h"

namespace mfi::os {
namespace {

bool Run(const std::string& name, std::vector<std::string> arguments, Waiter& waiter, NodeLog& log) {
  const ChildResult result = RunServerProgram(name, std::move(arguments), waiter);
  log.Words(result.output);
  log.Words(result.errors);
  return result.exit_code == 0;
}

}  // namespace

bool CopyCluster(const std::string& into, const std::string& conninfo, const std::string& slot, Waiter& waiter,
                 NodeLog& log) {
  return Run("pg_basebackup", {"-D", into, "-d", conninfo, "-S", slot, "-X", "stream", "-c", "fast", "-w"}, waiter,
             log);
}

bool RewindCluster(const std::string& data, const std::string& conninfo, const std::string& config_file, Waiter& waiter,
                   NodeLog& log) {
  std::vector<std::string> arguments = {"-D", data, "--source-server=" + conninfo};
  if (!config_file.empty()) arguments.push_back("--config-file=" + config_file);
  return Run("pg_rewind", std::move(arguments), waiter, log);
}

}  // namespace mfi::os
