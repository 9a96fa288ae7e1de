#pragma once

#include <cstdint>
#include <string>

#include "os/base/waiter.h"

namespace mfi::os {

/// Where a name server listens: an address of IPv4.
struct NameServer {
  std::string address;
  std::uint16_t port = 53;
};

/// The first one of /etc/resolv.conf.
NameServer NameServerOfThisMachine();

/// Whether the name server is that of the engine which runs this container, and has no container named `name`: it knows
/// `own`, this one's name, by an address that this machine has, before and after it was asked for the other. An engine
/// answers for what runs from memory, and asks others, who may be silent, for the rest. False when any of it is not
/// so: a name server that fails proves nothing.
bool EngineHasNo(const std::string& name, const std::string& own, const NameServer& server, Waiter& waiter);

}  // namespace mfi::os
