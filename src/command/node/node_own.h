#pragma once

#include <sys/types.h>

#include <string>

namespace mfi::command {

/// Gives a directory itself, and nothing in it, to a user, with these permissions. It is opened once and never through
/// a link, so that what is changed is the directory that was looked at. Changes nothing when it is so already. Throws
/// core::Error.
void OwnDirectory(const std::string& path, uid_t user, unsigned mode);

/// The number of a user by name. Throws Error(22023) when there is none.
uid_t UserNumber(const std::string& name);

}  // namespace mfi::command
