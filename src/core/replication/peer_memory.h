#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"

namespace mfi::core {

/// A standby that a node knows, as it is remembered across restarts.
struct RememberedPeer {
  std::string name;
  std::string slot_name;
  std::string address;
  std::optional<UtcSeconds> missing_since;

  friend bool operator==(const RememberedPeer&, const RememberedPeer&) = default;
};

std::string ToJson(const std::string& node, const std::vector<RememberedPeer>& peers);

/// The peers that `node` remembered. A memory of another node (data directories are copied by pg_basebackup and
/// pg_rewind) and a text that cannot be read are no memory.
std::vector<RememberedPeer> ParsePeerMemory(std::string_view text, const std::string& node);

}  // namespace mfi::core
