#pragma once

#include <iosfwd>

#include "command/offsite/repository.h"

namespace mfi::command {

/// A line for each copy, oldest first.
void ListCopies(const RepositoryOptions& options, std::ostream& out);

/// Reads all of the repository; throws Error when anything is damaged.
void CheckRepository(const RepositoryOptions& options, std::ostream& out);

/// The page of core::FormatKeySheet. It needs the server whose copies they are.
void PrintKeySheet(const RepositoryOptions& options, std::ostream& out);

}  // namespace mfi::command
