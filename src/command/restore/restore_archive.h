#pragma once

#include <functional>
#include <string>
#include <vector>

#include "os/base/waiter.h"
#include "os/server/session.h"

namespace mfi::command {

/// Tablespaces that objects of an archive are in, sorted.
std::vector<std::string> TablespacesOf(const std::string& pg_restore, const std::string& archive, os::Waiter& waiter);

struct ArchiveJob {
  std::string pg_restore;
  std::string archive;
  int jobs = 1;
  bool tablespaces = true;  // objects go to the tablespaces they were in; else all to the database's
};

/// Restores an archive into the empty database of the session, whole or not at all known: throws Error at the first
/// statement that fails, with all that pg_restore printed. `look` is called several times a second.
void RestoreArchive(const ArchiveJob& job, const os::Session& session, os::Waiter& waiter,
                    const std::function<void()>& look);

}  // namespace mfi::command
