#include "core/replication/peer_memory.h"

#include "core/base/json_fields.h"

namespace mfi::core {

std::string ToJson(const std::string& node, const std::vector<RememberedPeer>& peers) {
  json::Json list = json::Json::array();
  for (const RememberedPeer& peer : peers) {
    list.push_back({{"name", peer.name},
                    {"slot", json::OrNull(peer.slot_name)},
                    {"address", json::OrNull(peer.address)},
                    {"missing_since", json::TimeOrNull(peer.missing_since)}});
  }
  return json::Dump({{"node", node}, {"standbys", list}});
}

namespace {

constexpr std::int64_t kMaxMemoryBytes = std::int64_t{1024} * 1024;

}  // namespace

std::vector<RememberedPeer> ParsePeerMemory(std::string_view text, const std::string& node) {
  std::vector<RememberedPeer> peers;
  try {
    const json::Json document = json::ParseObject(text, "the memory of standbys", kMaxMemoryBytes);
    std::string owner;
    json::Read(document, "node", owner);
    if (owner != node) return {};
    for (const json::Json& item : json::List(document, "standbys")) {
      if (!item.is_object()) return {};
      RememberedPeer peer;
      json::Read(item, "name", peer.name);
      json::Read(item, "slot", peer.slot_name);
      json::Read(item, "address", peer.address);
      json::ReadTime(item, "missing_since", peer.missing_since);
      peers.push_back(std::move(peer));
    }
  } catch (const Error&) {
    return {};
  }
  return peers;
}

}  // namespace mfi::core
