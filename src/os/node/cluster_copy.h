#pragma once

#include <string>
#include <vector>

#include "os/base/waiter.h"
#include "os/node/node_log.h"

// A data directory made from another node's, by PostgreSQL's programs. What they say goes to the log. An interrupt ends
// them with all they have started.
namespace mfi::os {

/// pg_basebackup into an empty directory, or one that is not there, through a slot. `more`: its options for what is to
/// be elsewhere. False when it failed.
bool CopyCluster(const std::string& into, const std::string& conninfo, const std::string& slot, Waiter& waiter,
                 NodeLog& log, const std::vector<std::string>& more = {});

/// pg_rewind of the data directory of a server that has stopped. `config_file`: of its server, where that is elsewhere.
/// False when it could not do it.
bool RewindCluster(const std::string& data, const std::string& conninfo, const std::string& config_file, Waiter& waiter,
                   NodeLog& log);

}  // namespace mfi::os
