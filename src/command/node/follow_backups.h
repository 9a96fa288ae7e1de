#pragma once

#include <iosfwd>
#include <map>
#include <string>

#include "command/base/client.h"
#include "os/node/node_log.h"

namespace mfi::command {

/// Tells each change of state of a backup once, in a line of the log.
class BackupChanges {
 public:
  /// What has changed since the last call. Throws Error when the server cannot be asked.
  void Tell(Client& client, os::NodeLog& log);

 private:
  std::map<std::string, std::string> told_;  // the state of each id
};

/// What the container db-backup does until it is stopped: at its start it asks for a backup, unless the server has just
/// started, which takes one by itself, or a good one is fresh; then it tells every backup's changes of state.
void FollowBackups(std::ostream& out);

}  // namespace mfi::command
