#pragma once

#include <functional>
#include <string>

namespace mfi::pg {

/// The launcher's part that closes the records of this node's runs that died, and removes what they left.
class DirectoryTidier {
 public:
  /// A run has ended, so that there may be something to tidy.
  void Untidy() { tidy_ = false; }

  /// Does what is to be done, if anything is; each step whatever becomes of the others. What failed is logged once, and
  /// tried again at the next call. Only while no run of this node is going on: what it has half done is not left over.
  /// `interrupted` is called with the id of each run that was closed.
  void Tidy(const std::function<void(const std::string&)>& interrupted);

 private:
  bool tidy_ = false;    // nothing is left of runs that died
  std::string because_;  // why the last call could not tidy
};

}  // namespace mfi::pg
