#include "core/backup/set_copy.h"

#include <algorithm>

namespace mfi::core {

const SetCopy* CopyIn(const std::vector<SetCopy>& copies, const std::string& repository) {
  const auto found =
      std::find_if(copies.begin(), copies.end(), [&](const SetCopy& copy) { return copy.repository == repository; });
  return found == copies.end() ? nullptr : &*found;
}

}  // namespace mfi::core
