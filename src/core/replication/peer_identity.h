#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mfi::core {

/// A standby's connection, as one look finds it.
struct Connection {
  int pid = 0;  // of its walsender
  std::string name;
  std::string slot_name;  // empty: it has none
  std::string address;    // empty: by a socket of this machine
};

/// A standby that is known, as the looks before have left it.
struct KnownPeer {
  std::string name;
  std::string slot_name;
  std::string address;
  int pid = 0;                   // of its last walsender
  bool was_missing = false;      // already at the last look
  bool connected = false;        // at this look
  std::int64_t came_at_us = 0;   // when this connection was first seen
  std::int64_t heard_at_us = 0;  // when it last said something
  bool beside = false;           // it came while another of its name was connected, who has not been heard since
};

/// Which known standby each connection is, by place; -1: a new one. Each known standby is one connection at most. The
/// surest sign counts first: it is the same connection, it has that slot, it comes from where one of that name came
/// from, it has that name. A slot that only one of both has does not tell them apart.
std::vector<int> Recognize(const std::vector<KnownPeer>& known, const std::vector<Connection>& connections);

/// Both without a slot, and of one name: only their addresses tell them apart.
bool AreAlike(const KnownPeer& a, const KnownPeer& b);

/// A standby whose link broke has its old walsender beside the new one until that notices: another of its name, never
/// heard again. Returns the places of those that have ended like that, which are nobody: silent since before the other
/// came, and for `silence_us`, longer than a standby is silent; and of those that have come again with a slot, from the
/// same address, after they had been known without one. Takes the mark `beside` from those of whom it is clear
/// by now that they are one, or two.
std::vector<bool> OldConnections(std::vector<KnownPeer>& peers, std::int64_t now_us, std::int64_t silence_us);

}  // namespace mfi::core
