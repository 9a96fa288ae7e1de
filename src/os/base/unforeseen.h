#pragma once

#include <string>

#include "os/base/file.h"

namespace mfi::os {

/// Makes a directory of mode 0700 whose name begins so; six more characters follow, which nobody can foresee: where
/// others may make files too, as in /tmp, no name can be taken beforehand. Returns its path.
std::string MakeUnforeseen(std::string beginning);

/// Open and locked when it is a directory of this user that no process has locked so; not valid otherwise.
UniqueFd LockOwnDirectory(const std::string& path);

/// Removes what MakeUnforeseen has made in `parent` with names that begin so, unless a process has it locked. What is
/// of other users stays.
void RemoveUnforeseenLeftovers(const std::string& parent, const std::string& beginning);

/// Such a directory, locked, and gone with the object.
class UnforeseenDirectory {
 public:
  explicit UnforeseenDirectory(const std::string& beginning);
  ~UnforeseenDirectory();
  UnforeseenDirectory(const UnforeseenDirectory&) = delete;
  UnforeseenDirectory& operator=(const UnforeseenDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  UniqueFd lock_;
};

}  // namespace mfi::os
