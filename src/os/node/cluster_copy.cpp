#include "os/node/cluster_copy.h"

#include <vector>

#include "os/node/server_program.h"
#include "os/server/child_conninfo.h"

namespace mfi::os {
namespace {

bool Run(const std::string& name, std::vector<std::string> arguments, const ChildConninfo& conninfo, Waiter& waiter,
         NodeLog& log) {
  const ChildResult result = RunServerProgram(name, std::move(arguments), waiter, conninfo.Environment());
  log.Words(result.output);
  log.Words(result.errors);
  return result.exit_code == 0;
}

}  // namespace

bool CopyCluster(const std::string& into, const std::string& conninfo, const std::string& slot, Waiter& waiter,
                 NodeLog& log, const std::vector<std::string>& more) {
  const ChildConninfo from(conninfo);
  std::vector<std::string> arguments = {"-D", into, "-d", from.text(), "-S", slot, "-X", "stream", "-c", "fast", "-w"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return Run("pg_basebackup", std::move(arguments), from, waiter, log);
}

bool RewindCluster(const std::string& data, const std::string& conninfo, const std::string& config_file, Waiter& waiter,
                   NodeLog& log) {
  const ChildConninfo from(conninfo);
  std::vector<std::string> arguments = {"-D", data, "--source-server=" + from.text()};
  if (!config_file.empty()) arguments.push_back("--config-file=" + config_file);
  return Run("pg_rewind", std::move(arguments), from, waiter, log);
}

}  // namespace mfi::os
