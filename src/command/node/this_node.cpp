#include "command/node/this_node.h"

#include <limits.h>
#include <unistd.h>

#include <array>

#include "os/base/file.h"

namespace mfi::command {

core::NodePlace PlaceOfThisNode(const std::string& root) {
  std::array<char, HOST_NAME_MAX + 1> name{};
  gethostname(name.data(), name.size() - 1);
  return core::PlaceOfNode(root, name.data(), os::Exists(root + "var/lib/postgresql/data/PG_VERSION"));
}

void RequireNode(const core::NodePlace& place, const std::string& hint) {
  if (!os::Exists(place.NodeConf())) os::Refuse("this container is no node; nothing was changed", hint);
}

}  // namespace mfi::command
