#pragma once

#include <string>

#include "os/base/directory.h"

namespace mfi::os {

/// Throws Error(55000), with the command that mends it, unless `directory` belongs to this process's user and only that
/// user may write into it: whoever else may could swap what is written, read and deleted there. `what` names it, such
/// as `the backup directory`.
void CheckOwned(const Directory& directory, const std::string& what, unsigned mended_mode);

/// Throws Error(55000), with the command that mends it, when others may rename what is in one of the directories on the
/// way to `path`, an existing one: they may write there, and no sticky bit keeps them from what is not theirs.
void CheckWayTo(const std::string& path, const std::string& what);

/// Both, for the directory that scratch servers are made in: it may be one like /tmp, which others may write to.
void CheckScratchParent(const std::string& path);

/// `path` without links; as it is when that cannot be found out.
std::string RealPath(const std::string& path);

}  // namespace mfi::os
