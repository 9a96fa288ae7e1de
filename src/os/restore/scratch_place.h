#pragma once

#include <string>

#include "os/base/unforeseen.h"

namespace mfi::os {

/// A directory of this process's own for a private server: `data/`, where its socket is, and room for more. It is gone
/// with the object; after a crash RemoveScratchLeftovers removes it.
class ScratchPlace {
 public:
  /// `beginning`: how its path begins, as ScratchPath gives it.
  explicit ScratchPlace(const std::string& beginning);
  ~ScratchPlace();
  ScratchPlace(const ScratchPlace&) = delete;
  ScratchPlace& operator=(const ScratchPlace&) = delete;

  const std::string& directory() const { return directory_.path(); }
  const std::string& socket_directory() const { return socket_directory_; }
  std::string DataDirectory() const { return directory() + "/data"; }

 private:
  UnforeseenDirectory directory_;
  std::string socket_directory_;
};

/// How the directories begin that `node` uses for scratch servers below `parent`.
std::string ScratchPath(const std::string& parent, const std::string& node);

/// Removes the directories of `node`'s scratch servers that are gone. What is of other users stays.
void RemoveScratchLeftovers(const std::string& parent, const std::string& node);

}  // namespace mfi::os
