#include "core/replication/peer_identity.h"

#include <array>

namespace mfi::core {
namespace {

using Sign = bool (*)(const KnownPeer&, const Connection&);

constexpr std::array<Sign, 4> kSigns{
    [](const KnownPeer& k, const Connection& c) { return !k.was_missing && k.pid == c.pid; },
    [](const KnownPeer& k, const Connection& c) { return !c.slot_name.empty() && k.slot_name == c.slot_name; },
    [](const KnownPeer& k, const Connection& c) {
      return k.slot_name.empty() && c.slot_name.empty() && k.name == c.name && k.address == c.address;
    },
    [](const KnownPeer& k, const Connection& c) {
      return (k.slot_name.empty() || c.slot_name.empty()) && k.name == c.name;
    }};

/// Whether a standby that was known without a slot has come again with one, from the same place.
bool CameWithASlot(const KnownPeer& old, const KnownPeer& newer) {
  return !old.connected && old.slot_name.empty() && !newer.slot_name.empty() && old.name == newer.name &&
         old.address == newer.address && newer.came_at_us >= old.heard_at_us;
}

}  // namespace

std::vector<int> Recognize(const std::vector<KnownPeer>& known, const std::vector<Connection>& connections) {
  std::vector<int> found(connections.size(), -1);
  std::vector<bool> taken(known.size());
  for (const Sign sign : kSigns) {
    for (std::size_t c = 0; c < connections.size(); ++c) {
      for (std::size_t k = 0; k < known.size() && found[c] < 0; ++k) {
        if (taken[k] || !sign(known[k], connections[c])) continue;
        taken[k] = true;
        found[c] = static_cast<int>(k);
      }
    }
  }
  return found;
}

bool AreAlike(const KnownPeer& a, const KnownPeer& b) {
  return a.slot_name.empty() && b.slot_name.empty() && a.name == b.name;
}

std::vector<bool> OldConnections(std::vector<KnownPeer>& peers, std::int64_t now_us, std::int64_t silence_us) {
  std::vector<bool> old_ones(peers.size());
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const KnownPeer& old = peers[i];
    for (std::size_t j = 0; j < peers.size() && !old_ones[i]; ++j) {
      if (j == i || !peers[j].connected) continue;
      old_ones[i] = CameWithASlot(old, peers[j]);
      if (old.beside || !peers[j].beside || !AreAlike(peers[j], old)) continue;
      const bool heard = old.heard_at_us > peers[j].came_at_us;
      const bool just_gone = !old.connected && !old.was_missing;
      if (heard || just_gone) peers[j].beside = false;
      old_ones[i] = just_gone && !heard && now_us - old.heard_at_us >= silence_us;
    }
  }
  return old_ones;
}

}  // namespace mfi::core
